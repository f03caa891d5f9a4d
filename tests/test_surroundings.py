"""Where a program is run, and what it leaves behind."""
import functools
import gc
import os
import shutil
import signal
import sys
import textwrap
from unittest import mock

import microgpt
from tests.command_line import (FEW, PROGRAMS, QUICK, CommandLineTest, run, run_process, text_of,
                                untimed)


class SurroundingsTest(CommandLineTest):
    """Other folders, and a Python that goes on after a run."""
    small = False

    def test_another_folder(self):
        """A copied program finds the names beside it, and its workers it, wherever it is run."""
        self.write('names.txt', text_of(FEW))
        elsewhere = os.path.join(self.folder, 'elsewhere')
        os.mkdir(elsewhere)
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                shutil.copy(program.__file__, self.folder)
                copy = os.path.join(os.pardir, program.PROGRAM + '.py')
                argv = ['--steps', '1', '--samples', '1', *map(str, QUICK[program]), '--processes']
                args = [sys.executable, '-W', 'error', copy, *argv]
                result = run_process(args + ['2'], elsewhere)
                self.assert_runs(result)
                expected = run(program, '--names', self.few, *argv, 1)
                self.assertEqual(untimed(expected.out).splitlines(),
                                 untimed(result.out).splitlines())
        os.remove(os.path.join(self.folder, 'names.txt'))
        self.assert_refused(run_process(args + ['2'], elsewhere), 'names.txt')
        self.assertEqual([], os.listdir(elsewhere))

    def test_script(self):
        """A script that calls main, without a guard for the workers that import it, runs once."""
        root = os.path.dirname(os.path.abspath(microgpt.__file__))
        for program in PROGRAMS:
            with self.subTest(program.PROGRAM):
                script = f'import sys\nsys.path.insert(0, {root!r})\n' \
                         f'import {program.PROGRAM}\n{program.PROGRAM}.main()\n'
                argv = ['--names', self.few, '--steps', '1', '--samples', '1',
                        *map(str, QUICK[program]), '--processes']
                args = [sys.executable, self.write('script.py', script), *argv, '2']
                result = run_process(args, self.folder)
                self.assert_runs(result)
                expected = run(program, *argv, 1)
                self.assertEqual(untimed(expected.out).splitlines(),
                                 untimed(result.out).splitlines())

    def test_import(self):
        """An import prints nothing, opens nothing, and leaves the collector and Ctrl-C alone."""
        script = '''
            import argparse, builtins, gc, io, json, multiprocessing, random, shutil, signal
            import statistics, sys, unicodedata
            def refuse(*args, **options): raise AssertionError('a file or a process was opened')
            sys.path.insert(0, sys.argv[1])
            for switch in gc.enable, gc.disable:
                switch()
                before = gc.isenabled(), signal.getsignal(signal.SIGINT)
                really, builtins.open, io.open = open, refuse, refuse
                multiprocessing.get_context = multiprocessing.Process = refuse
                import microdiffusion, microgpt
                builtins.open, io.open = really, really
                assert before == (gc.isenabled(), signal.getsignal(signal.SIGINT))
                del sys.modules['microdiffusion'], sys.modules['microgpt']
            '''
        root = os.path.dirname(os.path.abspath(microgpt.__file__))
        result = run_process([sys.executable, '-W', 'error', '-c', textwrap.dedent(script), root],
                             self.folder)
        self.assertEqual((0, '', ''), result)

    def test_nothing_left_switched(self):
        """After a run, good or bad, the collector and what Ctrl-C does are as they were."""
        def handler(*_):
            """Not the usual one."""
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, handler))
        self.addCleanup(gc.enable if gc.isenabled() else gc.disable)
        hopeless = functools.partial(microgpt.train, lr=1e100)
        for switch in gc.enable, gc.disable:
            for train, status in (microgpt.train, 0), (hopeless, 2):
                for processes in 1, 2:
                    with self.subTest(switch=switch, status=status, processes=processes):
                        switch()
                        before = gc.isenabled()
                        with mock.patch.object(microgpt, 'train', train):
                            result = run(microgpt, '--names', self.few, '--steps', 3,
                                         '--samples', 1, '--processes', processes)
                        self.assertEqual(status, result.status)
                        self.assertEqual(before, gc.isenabled())
                        self.assertIs(handler, signal.getsignal(signal.SIGINT))
