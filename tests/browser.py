"""Chromium for the tests of the pages, without a package: it is spoken to through its pipe.

Chromium reads commands of its DevTools protocol from file descriptor 3 and answers on 4. Each is a
JSON text that ends in a zero byte.
"""
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

CHROMIUM = next(filter(None, map(shutil.which, ('chromium', 'chromium-browser', 'google-chrome'))),
                None) if os.name == 'posix' else None
PATIENCE = 300              # seconds until an answer that does not come is a failure
FLAGS = '''--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
           --disable-background-networking --disable-component-update
           --disable-smooth-scrolling'''.split()


class Refused(ValueError):
    """What Chromium could not do, as in a page that is just being left."""

class Browser:
    """A browser with one page; use it in a with statement. problems has what went wrong in it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.problems, self.sent, self.buffer, self.session = [], 0, b'', None
        commands, self.commands = os.pipe()
        self.answers, answers = os.pipe()

        def connect():
            """The far ends become 3 and 4, whatever they are now."""
            ends = [os.dup(end) for end in (commands, answers)]
            while min(ends) < 5:
                ends = [os.dup(end) for end in ends]
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)
        self.process = subprocess.Popen(
            [CHROMIUM, *FLAGS, '--remote-debugging-pipe', '--user-data-dir=' + self.folder.name],
            preexec_fn=connect, close_fds=False, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(commands)
        os.close(answers)
        target = self.ask('Target.createTarget', url='about:blank')['targetId']
        self.session = self.ask('Target.attachToTarget', targetId=target,
                                flatten=True)['sessionId']
        for domain in ('Page', 'Runtime', 'Log'):
            self.ask(domain + '.enable')
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.commands)
        os.close(self.answers)
        for _ in range(20):                     # until the last of its processes writes no more
            try:
                self.folder.cleanup()
                return
            except OSError:
                time.sleep(0.1)

    def receive(self):
        """The next message."""
        end = time.monotonic() + PATIENCE
        while b'\0' not in self.buffer:
            if not select.select([self.answers], [], [], max(0, end - time.monotonic()))[0]:
                raise TimeoutError('the browser does not answer')
            read = os.read(self.answers, 1 << 20)
            if not read:
                raise EOFError('the browser has ended')
            self.buffer += read
        message, _, self.buffer = self.buffer.partition(b'\0')
        return json.loads(message.decode('utf-8'))

    def ask(self, method, **params):
        """The result of a command of the DevTools protocol."""
        self.sent += 1
        message = {'id': self.sent, 'method': method, 'params': params}
        if self.session:
            message['sessionId'] = self.session
        os.write(self.commands, json.dumps(message).encode('utf-8') + b'\0')
        while True:
            answer = self.receive()
            if answer.get('id') == self.sent:
                if 'error' in answer:
                    raise Refused(answer['error'])
                return answer['result']
            if answer.get('method') in ('Runtime.exceptionThrown', 'Log.entryAdded',
                                        'Runtime.consoleAPICalled'):
                self.problems.append(json.dumps(answer['params']))

    def open(self, path, width=1280, media=(), before=''):
        """Open a file. media are pairs such as ('forced-colors', 'active'); before runs first."""
        address, _, state = path.partition('#')
        address = 'file://' + os.path.abspath(address) + ('#' + state if state else '')
        self.ask('Emulation.setDeviceMetricsOverride', width=width, height=900,
                 deviceScaleFactor=1, mobile=False)
        self.ask('Emulation.setEmulatedMedia',
                 features=[{'name': name, 'value': value} for name, value in media])
        script = self.ask('Page.addScriptToEvaluateOnNewDocument', source=before)['identifier']
        self.ask('Page.navigate', url='about:blank')
        self.ask('Page.navigate', url=address)
        self.run('new Promise(done => document.readyState === "complete" ? done() : '
                 'addEventListener("load", () => done()))')
        self.ask('Page.removeScriptToEvaluateOnNewDocument', identifier=script)

    def run(self, expression):
        """The value of an expression in the page; a promise is waited for."""
        result = self.ask('Runtime.evaluate', expression=expression, awaitPromise=True,
                          returnByValue=True, userGesture=True)
        if 'exceptionDetails' in result:
            raise ValueError(json.dumps(result['exceptionDetails']))
        return result['result'].get('value')

    def wait(self, condition):
        """Wait until a condition holds in the page."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with contextlib.suppress(Refused):
                if self.run(f'Boolean({condition})'):
                    return
            time.sleep(0.05)
        raise TimeoutError(condition)

    def keys(self, *keys):
        """Press keys: a character, or a name such as Backspace, Tab, ArrowRight, Enter."""
        codes = {'Backspace': 8, 'Tab': 9, 'Enter': 13, 'ArrowLeft': 37, 'ArrowRight': 39,
                 'ArrowUp': 38, 'ArrowDown': 40}
        for key in keys:
            params = {'key': key, 'windowsVirtualKeyCode': codes.get(key, 0)}
            if key == 'Enter' or len(key) == 1:
                params['text'] = '\r' if key == 'Enter' else key
            self.ask('Input.dispatchKeyEvent', type='keyDown', **params)
            self.ask('Input.dispatchKeyEvent', type='keyUp', **params)

    def click(self, selector, number=0):
        """A real click on the middle of an element, when it can be hit and moves no more."""
        x, y = self.run(f'''(async () => {{
            const element = document.querySelectorAll({json.dumps(selector)})[{number}];
            for (let tries = 0, before = ''; ; tries++) {{
                element.scrollIntoView({{block: 'center', behavior: 'instant'}});
                const box = element.getBoundingClientRect();
                const middle = [box.x + box.width / 2, box.y + box.height / 2];
                const hit = document.elementFromPoint(...middle);
                if (element.contains(hit) && String(middle) === before) return middle;
                if (tries > 500) throw new Error('cannot be clicked: ' + element.outerHTML);
                before = String(middle);
                await new Promise(done => setTimeout(done, 10));
            }}
        }})()''')
        for kind in ('mousePressed', 'mouseReleased'):
            self.ask('Input.dispatchMouseEvent', type=kind, x=x, y=y, button='left', clickCount=1)
