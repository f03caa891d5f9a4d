"""Build the playground from its parts: python -m tests.playground.

tests/playground.html is one file that opens by a double click. Its parts are in tests/web. This
command puts them together, and adds what the page has to know: the weights out of tests/models,
the constants and the defaults of the sampling out of the programs, and lists of names.
"""
import inspect
import json
import os
import re

import microdiffusion
import microgpt

HERE = os.path.dirname(os.path.abspath(__file__))
WEB = os.path.join(HERE, 'web')
PAGE = os.path.join(HERE, 'playground.html')
MODELS = os.path.join(HERE, 'models')
MILLION = 10 ** 6           # the kept weights have six digits after the point

# Names to begin with, out of those that training never sees. Of the first one, some places are
# hidden (counted from 1) whose letters the model guesses from both sides, and not from one.
NAMES = '''catherine isabelle thomas svetlana daphne giovanni leila hamza philomena tiffany kwame
           lakshmi sydney yousif priscilla victor amalia ronan fatma jonah lara'''.split()
PUZZLE = {'name': 'catherine', 'hidden': [2, 5, 7]}


def defaults(program):
    """The defaults of a program's sampling, by their names."""
    functions = {microgpt: [microgpt.draw, microgpt.generate],
                 microdiffusion: [microdiffusion.draw, microdiffusion.denoise]}[program]
    parameters = [parameter for function in functions
                  for parameter in inspect.signature(function).parameters.values()]
    return {parameter.name: parameter.default for parameter in parameters
            if parameter.default is not parameter.empty and parameter.name != 'least_letters'}

def constants(program):
    """What a model in a page needs to know: with it, it can be trained and write."""
    training = {name: getattr(program, name) for name in ('batch_size', 'learning_rate', 't_min')
                if hasattr(program, name)}
    return {**program.constants(), **training, 'defaults': defaults(program)}

def kept(program):
    """A trained model as a page holds it: its weights are whole numbers of millionths."""
    with open(os.path.join(MODELS, program.PROGRAM + '.json'), encoding='utf-8') as file:
        model = json.load(file)
    model['state_dict'] = {name: [[round(number * MILLION) for number in row] for row in matrix]
                           for name, matrix in model['state_dict'].items()}
    return model

def read_list(name):
    """The names of a list in this folder, in its order."""
    with open(os.path.join(HERE, name), encoding='utf-8') as file:
        return file.read().split()

def data():
    """What a page knows beside its parts, as JSON."""
    names = microdiffusion.read_names(os.path.join(os.path.dirname(HERE), 'names.txt'))
    held_out = microdiffusion.split(names)[1]
    programs = (microdiffusion, microgpt)
    known = {'constants': {program.PROGRAM: constants(program) for program in programs},
             'kept': {program.PROGRAM: kept(program) for program in programs},
             'names': NAMES, 'puzzle': PUZZLE, 'heldOut': ' '.join(held_out),
             'lists': {name: read_list(name) for name in ('few.txt', 'class.txt')}}
    text = json.dumps(known, ensure_ascii=False, separators=(',', ':'))
    text = text.replace('<', '\\u003c')         # so that no name can end the script
    return text.replace('],[', '],\n[')         # a row of a matrix on each line

def part(name):
    """The text of a part: a file in tests/web, with the parts that it asks for put in."""
    if name == 'data':
        return data()
    with open(os.path.join(WEB, name), encoding='utf-8') as file:
        text = file.read().rstrip('\n')
    return re.sub(r'\{\{([\w.]+)\}\}', lambda match: part(match.group(1)), text)

def make(page='page.html'):
    """The text of a page: a file in tests/web with all its parts."""
    return part(page) + '\n'


if __name__ == '__main__':
    made = make()
    with open(PAGE, 'w', encoding='utf-8', newline='\n') as file:
        file.write(made)
    print(f'{os.path.relpath(PAGE)}: {len(made.encode("utf-8"))} bytes')
