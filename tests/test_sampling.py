"""How names are drawn: the end and the letters, the schedule, the order, and what must hold."""
import collections
import gc
import math
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests import results
from tests.small_models import PROGRAMS, SmallModels, data, kept, probabilities

MASK, PAD = microdiffusion.MASK, microdiffusion.PAD
VOCAB = '_.ahmnort'         # of models that are made up here


def logits_of(probs):
    """Logits whose softmax gives these probabilities."""
    return [microdiffusion.Value(math.log(p) + 3.0 if p else -math.inf) for p in probs]

def made_up(places):
    """In place of the model: how sure it is of a character at some places; elsewhere of none."""
    def predictor(state_dict, tokens):
        rows = [places.get(n, ('t', 1 / 9)) for n in range(14)]
        return [logits_of([p if char == sure else (1 - p) / 8 for char in VOCAB])
                for sure, p in rows]
    return mock.patch.object(microdiffusion, 'mask_predictor', predictor)


class Draw(unittest.TestCase):
    """draw: first whether the name ends, at temperature 1, then a letter at the temperature."""

    def counts(self, program, end, letters, temperature, draws=3000, **options):
        """How often the end was drawn, and each letter, given their probabilities."""
        rng, logits = random.Random(3), logits_of([0.0] * program.END + [end] + letters)
        counts = collections.Counter([program.draw(logits, rng, temperature, **options)
                                      for _ in range(draws)])
        return [counts[program.END + n] for n in range(len(letters) + 1)]

    def test_the_end_at_its_own_rate_and_letters_at_the_temperature(self):
        """The second letter against the first: (0.2 / 0.5) ** (1 / temperature)."""
        for program in PROGRAMS:
            for temperature in (0.01, 0.25, 0.5, 1.0, 4.0):
                with self.subTest(program=program.PROGRAM, temperature=temperature):
                    end, first, second = self.counts(program, 0.3, [0.5, 0.2], temperature)
                    self.assertAlmostEqual(0.3, end / 3000, delta=0.035)
                    ratio = 0.4 ** (1 / temperature)
                    self.assertAlmostEqual(ratio / (1 + ratio), second / (first + second),
                                           delta=0.045)

    def test_a_letter_far_less_likely_than_the_likeliest_is_never_drawn(self):
        """min-p: by the probabilities at temperature 1, and the end does not count."""
        for program in PROGRAMS:
            for min_p, alive in ((0.0, 4), (0.1, 3), (0.2, 2), (0.6, 1)):
                end, *letters = self.counts(program, 0.5, [0.3, 0.14, 0.05, 0.01], 4.0,
                                            min_p=min_p)
                self.assertAlmostEqual(0.5, end / 3000, delta=0.035)
                self.assertEqual([True] * alive + [False] * (4 - alive), [n > 0 for n in letters])
            end, *_ = self.counts(program, 0.05, [0.9, 0.05], 1.0, min_p=0.6)
            self.assertAlmostEqual(0.05, end / 3000, delta=0.02, msg='min-p is for letters alone')

    def test_at_temperature_0_always_the_likeliest_the_end_included(self):
        for program in PROGRAMS:
            self.assertEqual([0, 200, 0], self.counts(program, 0.3, [0.5, 0.2], 0, 200))
            self.assertEqual([200, 0, 0], self.counts(program, 0.4, [0.3, 0.3], 0, 200))

    def test_what_is_ruled_out_is_never_drawn(self):
        for program in PROGRAMS:
            for temperature in (0, 0.5, 1.0, 9.0):
                self.assertEqual([0, 0, 100], self.counts(program, 0, [0, 1.0], temperature, 100))
                self.assertEqual([100, 0, 0], self.counts(program, 1.0, [0, 0], temperature, 100))


class Schedule(unittest.TestCase):
    def test_how_many_of_14_masks_are_left_after_each_step(self):
        """14 times the cosine of 90 degrees times the share of the steps, rounded down."""
        for steps, left in ((1, [0]), (2, [9, 0]), (3, [12, 7, 0]), (4, [12, 9, 5, 0]),
                            (8, [13, 12, 11, 9, 7, 5, 2, 0]),
                            (16, [13, 13, 13, 12, 12, 11, 10, 9, 8, 7, 6, 5, 4, 2, 1, 0])):
            self.assertEqual(left, [microdiffusion.masks_left(14, i, steps)
                                    for i in range(1, steps + 1)], f'{steps} steps')

    def test_a_whole_number_is_not_lost_to_rounding(self):
        """cos(60 degrees) is a half: two thirds of the steps leave half of the masks."""
        for steps in range(3, 1000, 3):
            for total in (2, 14):
                left = microdiffusion.masks_left(total, 2 * steps // 3, steps)
                self.assertEqual(total // 2, left, f'{total} masks, {steps} steps')

    def test_no_step_brings_masks_back_and_the_last_one_leaves_none(self):
        for steps in (1, 3, 7, 100):
            for total in (0, 1, 5, 14):
                left = [microdiffusion.masks_left(total, i, steps) for i in range(steps + 1)]
                self.assertEqual(sorted(left, reverse=True), left)
                self.assertEqual((total, 0), (left[0], left[-1]))


class AnyModel(unittest.TestCase):
    """What must hold whatever the model says: in its place stand logits that are drawn at random.

    They favour the end, so that a name often ends in the very step that draws letters behind it.
    """

    def setUp(self):
        self.rng, self.evaluations = random.Random(1), 0

        def anything(state_dict, tokens):
            self.evaluations += 1
            return [[microdiffusion.Value(self.rng.gauss(2.0 * (token == PAD), 2.0))
                     for token in range(len(VOCAB))] for _ in microdiffusion.settled(tokens)]

        patch = mock.patch.object(microdiffusion, 'mask_predictor', anything)
        patch.start()
        self.addCleanup(patch.stop)

    def frames(self, steps, prompt='', **options):
        """(step, temperature, text) from the prompt to a name."""
        tokens, least_letters = microdiffusion.read_prompt(prompt, VOCAB)
        frames = microdiffusion.denoise({}, tokens, self.rng, steps, least_letters=least_letters,
                                        **options)
        return [(i, temperature, microdiffusion.decode(tokens, VOCAB))
                for i, temperature, tokens in frames]

    def test_every_name_is_whole_and_what_is_revealed_stays(self):
        for steps in (1, 2, 4, 8, 16):
            together, lengths = 0, set()
            for _ in range(80):
                before = '_' * 14
                for _, _, text in self.frames(steps):
                    for old, new in zip(before, text):
                        self.assertIn(old, ('_', new), 'carry-over')
                    if '.' in text and text.strip('_.') and '.' not in before:
                        together += before.strip('_.') != text.strip('_.')
                    before = text
                self.assertRegex(before, r'^[a-z]{1,13}\.+$', f'in {steps} steps')
                lengths.add(before.index('.'))
            self.assertGreater(len(lengths), 5)
            self.assertGreater(together, 0, 'no step drew an end and a letter')

    def test_an_end_drawn_before_a_letter_of_the_same_step_leaves_room_for_it(self):
        """And the other way round: what has been drawn decides what may come next in the step.

        All is revealed in one step, the surest first. The model is surest of the end at place 5,
        and then of a t at places 3 and 9. Or it is surest of the t.
        """
        for at_5, at_others, expected in ((0.99, 0.95, '^...t.[.]{9}$'),
                                          (0.95, 0.99, '^...t[a-z]{5}t[a-z]{0,3}[.]+$')):
            with made_up({5: ('.', at_5), 3: ('t', at_others), 9: ('t', at_others)}):
                [(_, _, text)] = self.frames(1, temperature=0)
                self.assertRegex(text, expected)

    def test_being_sure_of_an_end_that_cannot_be_does_not_count(self):
        """The first step reveals the last place, which is certain, and one more."""
        with made_up({2: ('.', 0.99), 4: ('t', 0.5)}):
            for prompt, first in (('_________', '____t________.'), ('', '__............')):
                (_, _, text), *_ = self.frames(4, prompt, temperature=0)
                self.assertEqual(first, text)

    def test_prompts_keep_what_is_known_and_the_least_number_of_letters(self):
        for prompt, pattern in (('ma___.', r'ma[a-z]{3}\.{9}'),
                                ('___th___.', r'[a-z]{3}th[a-z]{3}\.{6}'),
                                ('mar__', r'mar[a-z]{2,10}\.+'), ('_.', r'[a-z]\.{13}'),
                                ('mar', r'mar[a-z]{0,10}\.+'), ('_' * 13, r'[a-z]{13}\.'),
                                ('a_____a', r'a[a-z]{5}a[a-z]{0,6}\.+')):
            for steps, count in ((1, 20), (4, 100)):
                for _ in range(count):
                    *_, (_, _, name) = self.frames(steps, prompt)
                    self.assertRegex(name, f'^{pattern}$', f'{prompt} in {steps} steps')

    def test_where_no_end_is_drawn_each_step_reveals_what_the_schedule_says(self):
        for prompt in ('_' * 13 + '.', 'm___n.', '_____th.'):
            masks = prompt.count('_')
            for steps in (1, 2, 3, 8, 16, 40):
                expected, left = [], masks
                for i in range(1, steps + 1):
                    if microdiffusion.masks_left(masks, i, steps) < left:
                        left = microdiffusion.masks_left(masks, i, steps)
                        expected.append((i, left))
                frames = self.frames(steps, prompt)
                self.assertEqual(expected, [(i, text.count('_')) for i, _, text in frames])

    def test_where_an_end_is_drawn_the_places_behind_it_are_filled_in_at_once(self):
        for steps in (4, 16):
            for _ in range(50):
                for i, _, text in self.frames(steps):
                    self.assertLessEqual(text.count('_'), microdiffusion.masks_left(14, i, steps))
                    self.assertRegex(text, r'^[a-z_]*\.*$')

    def test_a_step_that_reveals_nothing_evaluates_nothing(self):
        for steps in (1, 8, 16, 1000):
            self.evaluations = 0
            frames = self.frames(steps)
            self.assertEqual(len(frames), self.evaluations, f'{steps} steps')
            self.assertLessEqual(len(frames), min(steps, 14))
        self.evaluations = 0
        self.assertEqual([], self.frames(8, 'nora.'))
        self.assertEqual(0, self.evaluations)

    def test_the_temperature_falls_with_the_step_to_half_of_it(self):
        """With the step, not with the masks left: steps that reveal nothing count as well."""
        for steps in (1, 8, 16):
            for i, temperature, _ in self.frames(steps, '_' * 13 + '.', temperature=0.8):
                self.assertAlmostEqual(0.8 - 0.4 * (i - 1) / steps, temperature)

    def test_every_token_is_drawn_at_the_temperature_of_its_step(self):
        """a is likelier than h; their odds are those of each step's temperature."""
        def two_letters(state_dict, tokens):
            return [logits_of([0, 0, 0.7, 0.3] + [0] * 5) for _ in range(14)]

        drawn = collections.defaultdict(str)
        with mock.patch.object(microdiffusion, 'mask_predictor', two_letters):
            for _ in range(300):
                before = '_' * 13 + '.'
                for i, temperature, text in self.frames(3, before, temperature=2.0):
                    drawn[temperature] += ''.join([new for old, new in zip(before, text)
                                                   if old != new])
                    before = text
        self.assertEqual(3, len(drawn))
        for temperature, letters in drawn.items():
            ratio = (0.3 / 0.7) ** (1 / temperature)
            self.assertAlmostEqual(ratio / (1 + ratio), letters.count('h') / len(letters),
                                   delta=0.05)

    def test_the_prompt_is_left_as_it_was_and_every_frame_is_a_list_of_its_own(self):
        tokens = [MASK] * 14
        frames = [frame for *_, frame in microdiffusion.denoise({}, tokens, self.rng, 8)]
        self.assertEqual([MASK] * 14, tokens)
        self.assertEqual(len(frames), len({frame.count(MASK) for frame in frames}))


class Order(SmallModels):
    """Which positions are revealed first: the surest, apart from noise that fades."""
    block_size = 14

    def test_without_noise_the_surest_positions_are_revealed(self):
        """Sure is who gives one token much probability, among those that may stand there."""
        for prompt in ('_' * 13 + '.', '__d____e', '_' * 9):
            tokens, least_letters = microdiffusion.read_prompt(prompt, self.vocab)
            masks, rng = tokens.count(MASK), random.Random(1)
            logits = microdiffusion.mask_predictor(self.weights, tokens)
            microdiffusion.rule_out(logits, tokens, least_letters)
            sure = {n: max(probabilities(z)) for n, z in enumerate(logits) if tokens[n] == MASK}
            surest = sorted(sure, key=sure.get)[microdiffusion.masks_left(masks, 1, 4) - masks:]
            for temperature in (0.1, 5.0):
                _, _, frame = next(microdiffusion.denoise(self.weights, tokens, rng, 4, temperature,
                                                          least_letters, noise=0.0))
                revealed = {n for n in range(14) if tokens[n] == MASK != frame[n]}
                self.assertLessEqual(set(surest), revealed)
                ended = frame.index(PAD) if PAD in frame else 14
                self.assertLessEqual({n for n in revealed if n < ended}, set(surest))

    def test_the_temperature_does_not_count_for_the_order(self):
        """Place 2 has a letter of 0.5, place 7 has two of 0.45; flattened, place 7 would lead."""
        def predictor(state_dict, tokens):
            rows = {2: [0.5] + [0.5 / 6] * 6, 7: [0.45] * 2 + [0.02] * 5}
            return [logits_of([0, 0] + rows.get(n, [1 / 7] * 7)) for n in range(14)]

        tokens, least_letters = microdiffusion.read_prompt('_' * 13 + '.', VOCAB)
        with mock.patch.object(microdiffusion, 'mask_predictor', predictor):
            for temperature in (0.1, 5.0):
                _, _, frame = next(microdiffusion.denoise({}, tokens, random.Random(1), 4,
                                                          temperature, least_letters, noise=0.0))
                self.assertEqual([2], [n for n in range(13) if frame[n] != MASK])

    def test_noise_fades_with_the_masks(self):
        """Places 0 to 4 are surer than the others by 1, and the others have noise, of size 2.

        So the others come first as long as more than half of the 13 masks are left, and then they
        wait for the sure ones.
        """
        def predictor(state_dict, tokens):
            places.extend([n for n, token in enumerate(tokens) if token == MASK])
            best = [0.95 * math.exp(-1 if n > 4 else 0) for n in range(14)]
            return [logits_of([0, 0, p] + [(1 - p) / 6] * 6) for p in best]

        places, revealed = [], []
        tokens, least_letters = microdiffusion.read_prompt('_' * 13 + '.', VOCAB)
        with mock.patch.multiple(microdiffusion, mask_predictor=predictor,
                                 gumbel=lambda rng: float(places.pop(0) > 4)):
            for *_, frame in microdiffusion.denoise({}, tokens, random.Random(1), 16,
                                                    least_letters=least_letters, noise=2.0):
                revealed += [n for n in range(13) if frame[n] != MASK and n not in revealed]
        self.assertGreater(min(revealed[:6]), 4, 'there is too little noise at first')
        self.assertEqual({0, 1, 2, 3, 4}, set(revealed[6:11]), 'the noise does not fade')


class Gumbel(unittest.TestCase):
    def test_mean_spread_and_share_below_0_are_those_of_the_distribution(self):
        rng = random.Random(1)
        noise = [microdiffusion.gumbel(rng) for _ in range(20000)]
        mean = sum(noise) / 20000
        self.assertAlmostEqual(0.5772, mean, delta=0.05)
        variance = sum([(x - mean) ** 2 for x in noise]) / 20000
        self.assertAlmostEqual(math.pi ** 2 / 6, variance, delta=0.1)
        self.assertAlmostEqual(math.exp(-1), sum([x < 0 for x in noise]) / 20000, delta=0.02)

    def test_a_random_number_of_0_has_no_log_and_does_no_harm(self):
        rng = mock.Mock()
        rng.random.return_value = 0.0
        self.assertTrue(math.isfinite(microdiffusion.gumbel(rng)))


class Generation(SmallModels):
    def name(self, seed, start='', **options):
        tokens = microgpt.read_prompt(start, self.gpt_vocab)
        tokens = microgpt.generate(self.gpt_weights, tokens, random.Random(seed), **options)
        return microgpt.decode(tokens, self.gpt_vocab)

    def test_names_have_one_to_five_letters_and_begin_as_they_are_told(self):
        names = [self.name(seed, temperature=1.0) for seed in range(150)]
        self.assertLessEqual(set(map(len, names)), {1, 2, 3, 4, 5})
        self.assertGreater(len(set(map(len, names))), 2)
        self.assertNotIn('.', ''.join(names))
        for start in ('l', 'leo', 'cleof'):
            for seed in range(5):
                self.assertRegex(self.name(seed, start), f'^{start}[a-z]{{0,{5 - len(start)}}}$')

    def test_first_letters_come_as_often_as_the_model_says(self):
        """At temperature 1 and without min-p; a name has one letter here, so that it is quick."""
        rng, first = random.Random(1), collections.Counter()
        draw = microgpt.draw
        with mock.patch.multiple(microgpt, block_size=2,
                                 draw=lambda *args: draw(*args, min_p=0.0)):
            [logits] = microgpt.gpt(self.gpt_weights, [microgpt.BOS])
            for _ in range(800):
                [letter] = microgpt.generate(self.gpt_weights, [], rng, 1.0)
                first[letter] += 1
        for token, p in enumerate(probabilities(logits)):
            self.assertAlmostEqual(p, first[token] / 800, delta=0.05)

    def test_the_beginning_itself_is_left_as_it_was(self):
        start = [3, 4]
        microgpt.generate(self.gpt_weights, start, random.Random(1))
        self.assertEqual([3, 4], start)


class LittleLeftToChance(SmallModels):
    """Equal seeds, and temperature 0."""
    block_size = 14

    def write(self, program, weights, vocab, seeds, **options):
        tokens = program.read_prompt('', vocab)
        if program is microgpt:
            return [program.generate(weights, tokens, random.Random(seed), **options)
                    for seed in seeds]
        return [list(program.denoise(weights, tokens[0], random.Random(seed), 5, **options))[-1][2]
                for seed in seeds]

    def test_the_same_seed_writes_the_same_name_and_another_seed_another(self):
        for program, weights, vocab in self.both():
            first, again, *others = self.write(program, weights, vocab, [3, 3, 4, 5])
            self.assertEqual(first, again)
            self.assertNotEqual([first, first], others)

    def test_at_temperature_0_all_seeds_write_the_same_name(self):
        for program, weights, vocab in self.both():
            first, *others = self.write(program, weights, vocab, range(4), temperature=0)
            self.assertEqual([first] * 3, others)

    def test_at_temperature_0_it_is_each_time_the_likeliest(self):
        for start in ('', 'cl', 'f'):
            tokens = microgpt.read_prompt(start, self.gpt_vocab)
            name = microgpt.generate(self.gpt_weights, tokens, random.Random(1), 0)
            whole = [microgpt.BOS] + name + [microgpt.BOS]
            logits = data(microgpt.gpt(self.gpt_weights, whole[:-1]))
            for z, token in list(zip(logits, whole[1:]))[len(start):]:
                self.assertEqual(z.index(max(z)), token)

            tokens, least_letters = microdiffusion.read_prompt(start, self.vocab)
            for _, _, frame in microdiffusion.denoise(self.weights, tokens, random.Random(1), 60, 0,
                                                      least_letters):
                logits = microdiffusion.mask_predictor(self.weights, tokens)
                microdiffusion.rule_out(logits, tokens, least_letters)
                n = min([n for n in range(14) if tokens[n] != frame[n]])    # PADs follow the first
                z = [v.data for v in logits[n]]
                self.assertEqual(z.index(max(z)), frame[n])
                tokens = frame


class TrainedModels(unittest.TestCase):
    """The kept models at their full size."""

    def test_prompts(self):
        weights, vocab = kept(microdiffusion)
        for text, pattern in (('ma___.', r'ma[a-z]{3}'), ('___th___.', r'[a-z]{3}th[a-z]{3}'),
                              ('mar__', r'mar[a-z]{2,10}'), ('', r'[a-z]{1,13}')):
            tokens, least_letters = microdiffusion.read_prompt(text, vocab)
            for seed in range(4):
                *_, (_, _, out) = microdiffusion.denoise(weights, tokens, random.Random(seed), 4,
                                                         least_letters=least_letters)
                self.assertRegex(microdiffusion.decode(out, vocab), f'^{pattern}[.]+$')

    def test_the_surest_places_come_first(self):
        """With the default settings: those chosen are surer than the hidden ones are on average.

        Early the model is sure of much, and at last one place is left: there the two are close.
        """
        numbers = [value.data for value in microdiffusion.parameters(kept(microdiffusion)[0])]
        model = results.Model('diffusion', 42, microdiffusion.num_steps, results.ALL, {})
        self.addCleanup(gc.enable)
        shares = results.sureness(model, numbers, 30, {})
        for phase in 'early', 'middle':
            chosen, hidden = shares[phase]
            self.assertGreater(chosen, hidden + 0.1, phase)

    def test_they_have_learnt_how_names_end_and_which_letters_follow_which(self):
        """A name costs far less than a row of the same letters the other way round."""
        for program in PROGRAMS:
            weights, vocab = kept(program)
            costs = []
            for name in ('jennifer', 'refinnej', 'charlotte', 'ettolrahc'):
                tokens = program.encode(name, vocab)
                costs.append(sum([program.example_nats(weights, tokens, seed)
                                  for seed in range(1 if program is microgpt else 8)]))
            self.assertLess(costs[0] + costs[2], 0.9 * (costs[1] + costs[3]), program.PROGRAM)


if __name__ == '__main__':
    unittest.main()
