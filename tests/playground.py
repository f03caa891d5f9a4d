"""Put the trained models into the page: python -m tests.playground.

tests/playground.html holds both models as JavaScript, and the page around them. This command
replaces its last lines: the weights out of tests/models, the constants and the defaults of the
sampling out of the programs, and a few names.
"""
import inspect
import json
import os
import re

import microdiffusion
import microgpt

HERE = os.path.dirname(os.path.abspath(__file__))
PAGE = os.path.join(HERE, 'playground.html')
MODELS = os.path.join(HERE, 'models')
MILLION = 10 ** 6           # the kept weights have six digits after the point

# Names to begin with, out of those that training never sees.
NAMES = '''christopher isabella maria elijah zainab caroline patrick yuna priya francisca edith yahya
           mohamed sophia nikolai aisha josiah svetlana roxanne leila khadija marcos ellen'''.split()


def defaults(program):
    """The defaults of a program's sampling, by their names."""
    functions = {microgpt: [microgpt.draw, microgpt.generate],
                 microdiffusion: [microdiffusion.draw, microdiffusion.denoise]}[program]
    parameters = [parameter for function in functions
                  for parameter in inspect.signature(function).parameters.values()]
    return {parameter.name: parameter.default for parameter in parameters
            if parameter.default is not parameter.empty and parameter.name != 'shortest'}

def kept(program):
    """A trained model as the page holds it: its weights are whole numbers of millionths."""
    state_dict, vocab, _ = program.load(os.path.join(MODELS, program.PROGRAM + '.json'))
    weights = {name: [[round(value.data * MILLION) for value in row] for row in matrix]
               for name, matrix in state_dict.items()}
    return {**program.constants(), 'vocab': vocab, 'defaults': defaults(program),
            'state_dict': weights}

def make(page):
    """The text of the page with the present models in it."""
    models = {program.PROGRAM: kept(program) for program in (microdiffusion, microgpt)}
    text = json.dumps({**models, 'names': NAMES}, separators=(',', ':'))
    text = text.replace('],[', '],\n[')         # a row of a matrix on each line
    before, after = re.split(r'(?<=<script id="kept" type="application/json">).*?(?=</script>)',
                             page, flags=re.DOTALL)
    return before + '\n' + text + '\n' + after


if __name__ == '__main__':
    with open(PAGE, encoding='utf-8') as file:
        made = make(file.read())
    with open(PAGE, 'w', encoding='utf-8', newline='\n') as file:
        file.write(made)
    print(f'{os.path.relpath(PAGE)}: {len(made.encode("utf-8"))} bytes')
