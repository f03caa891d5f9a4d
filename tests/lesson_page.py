"""Turn the lesson's Markdown into a page for the browser: python -m tests.notebook calls this.

tests/lesson/lesson.html is one file that opens by a double click: the text, its pictures as data,
and what can be touched, from tests/web. The converter knows the Markdown that the lesson uses:
headings, paragraphs, lists, tables, quotes, blocks of code, pictures, links, and <details>.
"""
import collections
import html
import json
import keyword
import os
import re
import textwrap
import urllib.parse

import microgpt
from tests import playground

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FOLDER = os.path.join(TOP, 'tests', 'lesson')       # links are relative to it
WEB = os.path.join(TOP, 'tests', 'web')
PAGE = os.path.join(FOLDER, 'lesson.html')


def read(path):
    """The text of a file."""
    with open(path, encoding='utf-8') as file:
        return file.read()


# 1. What stands in a line: code, pictures, links, bold, italic, and a few elements of HTML.

INLINE = re.compile(r'''
    (?P<ticks>`+)(?P<code>.+?)(?P=ticks)(?!`)
  | !\[(?P<alt>[^\]]*)\]\((?P<picture>[^)\s]+)\)
  | \[(?P<words>(?:[^\[\]]|\[[^\]]*\])+)\]\((?P<link>[^)\s]+)\)
  | \*\*(?P<bold>\S(?:.*?\S)?)\*\*
  | (?<![\w*])\*(?P<italic>[^\s*](?:[^*]*[^\s*])?)\*(?![\w*])
  | \\(?P<escaped>[\\`*_\[\]<>|])
  | (?P<element></?(?:sub|sup|br|kbd|b|i|a|summary)(?:\s[^<>]*)?>)
''', re.VERBOSE | re.DOTALL)

def escape(text):
    """Text as HTML; quotes need not be escaped."""
    return html.escape(text, quote=False)

def inline(text):
    """A line of Markdown as HTML."""
    parts, last = [], 0
    for found in INLINE.finditer(text):
        parts += [escape(text[last:found.start()]), converted(found)]
        last = found.end()
    return ''.join(parts) + escape(text[last:])

def converted(found):
    """One piece of a line as HTML."""
    if found['code']:
        return f'<code>{escape(found["code"].strip())}</code>'
    if found['picture']:
        return image(found['picture'], found['alt'])
    if found['link']:
        return f'<a href="{html.escape(found["link"])}">{inline(found["words"])}</a>'
    if found['bold']:
        return f'<strong>{inline(found["bold"])}</strong>'
    if found['italic']:
        return f'<em>{inline(found["italic"])}</em>'
    return found['element'] or escape(found['escaped'])

def image(target, alt):
    """A picture as an element that holds the whole file, so its ids meet no others."""
    svg = read(os.path.join(FOLDER, *target.split('/')))
    size = re.search(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', svg)
    width, height = [round(float(number)) for number in size.groups()]
    data = urllib.parse.quote(svg.strip(), safe=" !$'()*+,/:;<=>?@[]^_{|}~")
    data = data.replace('<', '&lt;').replace('>', '&gt;')
    return (f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
            f'src="data:image/svg+xml,{data}">')

def anchor(heading):
    """What a link to a heading is, as on GitHub."""
    return re.sub(r'[^\w -]', '', heading.lower()).replace(' ', '-')


# 2. Code, with what helps the eye: comments, words of Python and what is typed.

CODE = re.compile(r'(?P<prompt>^(?:>>>|\.\.\.)(?= |$))|(?P<comment>\#.*$)'
                  r'|(?P<string>[rbf]*(?:"""(?s:.)*?"""|'
                  r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"))"
                  r'|(?P<word>\b[A-Za-z_]\w*\b)', re.MULTILINE)

def colored(code, language):
    """A block of code as HTML."""
    if language == 'diff':
        return '\n'.join([
            f'<span class="{"minus" if line[0] == "-" else "plus"}">{escape(line)}</span>'
            if line[:1] in ('-', '+') else escape(line) for line in code.split('\n')])
    if language != 'python':
        return escape(code)
    if not code.startswith('>>>'):
        return python(code)
    lines = []
    for line in code.split('\n'):
        typed = re.match(r'(>>>|\.\.\.)( |$)', line)
        lines.append(python(line) if typed else
                     f'<span class="output">{escape(line)}</span>' if line else '')
    return '\n'.join(lines)

def python(code):
    """Python as HTML."""
    parts, last = [], 0
    for found in CODE.finditer(code):
        kind, text = found.lastgroup, found.group()
        if kind != 'word' or keyword.iskeyword(text):
            kind = 'keyword' if kind == 'word' else kind
            parts.append(escape(code[last:found.start()]))
            parts.append(f'<span class="{kind}">{escape(text)}</span>')
            last = found.end()
    return ''.join(parts) + escape(code[last:])


# 3. Blocks: what stands in lines of its own.

ITEM = re.compile(r'(?P<indent> *)(?:[-*]|(?P<number>\d+)\.) +(?=\S)')

# What ends a paragraph without an empty line. Of the numbers of a list only 1 does, as on GitHub.
OTHER = re.compile(r'#{1,6} |```|> |\||<!-- |</?details|!\[[^\]]*\]\([^)]*\)$|[-*] |1\. ')

def blocks(text):
    """A text of Markdown as HTML, block by block."""
    lines = text.split('\n')
    while lines:
        line = lines[0]
        if not line.strip():
            lines.pop(0)
        elif line.startswith('```'):
            yield fence(lines)
        elif line.startswith('#'):
            yield heading(lines.pop(0))
        elif line.startswith('|'):
            yield table(take(lines, lambda line: line.startswith('|')))
        elif line.startswith('>'):
            quoted = take(lines, lambda line: line.startswith('>'))
            inside = '\n'.join([re.sub('^> ?', '', line) for line in quoted])
            yield f'<blockquote>{"".join(blocks(inside))}</blockquote>\n'
        elif line.startswith('<!-- touch: '):
            name = re.fullmatch(r'<!-- touch: (\w+) -->', lines.pop(0).strip())[1]
            yield f'<div class="touch" data-touch="{name}"></div>\n'
        elif line.startswith('<!--'):
            while '-->' not in lines.pop(0):
                pass
        elif line.startswith(('<details', '</details')):
            yield re.sub(r'(?<=<summary>).*(?=</summary>)', lambda found: inline(found[0]),
                         lines.pop(0)) + '\n'
        elif ITEM.match(line):
            yield listing(lines)
        else:
            yield paragraph(lines)

def take(lines, wanted):
    """Remove and return the lines up to the first one that is not wanted."""
    count = next((n for n, line in enumerate(lines) if not wanted(line)), len(lines))
    taken, lines[:count] = lines[:count], []
    return taken

def fence(lines):
    """A block of code. Its box can be scrolled, with the keyboard as well."""
    language = lines.pop(0)[3:].strip()
    code = '\n'.join(take(lines, lambda line: not line.startswith('```')))
    code = textwrap.dedent(code).strip('\n')
    lines.pop(0)
    return f'<pre tabindex="0"><code>{colored(code, language)}</code></pre>\n'

def heading(line):
    """A heading, to which links can lead."""
    marks, words = line.split(' ', 1)
    level = len(marks)
    return f'<h{level} id="{anchor(words)}">{inline(words)}</h{level}>\n'

def table(lines):
    """A table; its first line is the head, its second says nothing."""
    def cells(line, kind):
        inside = re.sub(r'`[^`]*`|\\\|', lambda found: found[0].replace('|', '\0'), line)
        texts = inside.strip().strip('|').split('|')
        return '<tr>' + ''.join([f'<{kind}>{inline(text.strip().replace(chr(0), "|"))}</{kind}>'
                                 for text in texts]) + '</tr>\n'
    rows = ''.join([cells(line, 'td') for line in lines[2:]])
    return (f'<div class="table" tabindex="0"><table>\n<thead>{cells(lines[0], "th")}</thead>\n'
            f'<tbody>{rows}</tbody></table></div>\n')

def listing(lines):
    """A list, whose items may go on in indented lines and hold lists of their own."""
    number = ITEM.match(lines[0])['number']
    items = []
    while lines and ITEM.match(lines[0]) and bool(ITEM.match(lines[0])['number']) == bool(number):
        first = ITEM.match(lines[0])
        item = [lines.pop(0)[first.end():]]
        while lines:
            follows = lines[1:2] or ['']
            if lines[0].startswith('  ') or (not lines[0].strip() and follows[0].startswith('  ')):
                item.append(lines.pop(0))
            elif lines[0].strip() and not ITEM.match(lines[0]) and not OTHER.match(lines[0]):
                item.append(lines.pop(0))
            else:
                break
        rest = textwrap.dedent('\n'.join(item[1:]))
        inside = ''.join(blocks(item[0] + '\n' + rest)).strip()
        if inside.count('<p>') == 1:
            inside = re.sub(r'^<p>(.*?)</p>', r'\1', inside, flags=re.DOTALL)
        items.append(f'<li>{inside}</li>\n')
        if lines and not lines[0].strip() and lines[1:] and ITEM.match(lines[1]):
            lines.pop(0)
    start = f' start="{number}"' if number and number != '1' else ''
    kind = 'ol' if number else 'ul'
    return f'<{kind}{start}>\n{"".join(items)}</{kind}>\n'

def paragraph(lines):
    """A paragraph; a picture that stands alone is a figure, which can be scrolled on a phone."""
    taken = [lines.pop(0)]
    taken += take(lines, lambda line: line.strip() and not OTHER.match(line))
    text = inline('\n'.join(taken))
    if re.fullmatch(r'!\[[^\]]*\]\([^)]*\)', ' '.join(taken)):
        return f'<figure tabindex="0">{text}</figure>\n'
    return f'<p>{text}</p>\n'


# 4. The page.

def contents(markdown):
    """The chapters as a list of links."""
    links = [f'<li><a href="#{anchor(words)}">{inline(words)}</a></li>\n'
             for words in re.findall(r'^## (.*)$', markdown, re.MULTILINE)]
    return f'<ul>\n{"".join(links)}</ul>\n'

def pairs():
    """How often each character follows each other one in the names that are learned from."""
    learned, _ = microgpt.split(microgpt.read_names(os.path.join(TOP, 'names.txt')))
    _, vocab, _ = microgpt.load(os.path.join(playground.MODELS, 'microgpt.json'))
    counts = collections.Counter()
    for name in learned:
        counts.update(zip('.' + name, name + '.'))
    return json.dumps([[counts[a, b] for b in vocab] for a in vocab], separators=(',', ':'))

def make(markdown):
    """The text of the page that is made from the text of the lesson."""
    own = {'title': inline(re.match(r'# (.*)', markdown)[1]), 'contents': contents(markdown),
           'body': ''.join(blocks(markdown)), 'pairs': pairs()}
    return re.sub(r'\{\{([\w.]+)\}\}', lambda found: own.get(found[1]) or playground.part(found[1]),
                  read(os.path.join(WEB, 'lesson.html')))
