"""How names are drawn: the end and the letters, the schedule, the order, and what must hold."""
import collections
import functools
import inspect
import math
import random
import unittest
from unittest import mock

import microdiffusion
import microgpt
from tests.small_models import PROGRAMS, SmallModels, data, large_weights

MASK, PAD = microdiffusion.MASK, microdiffusion.PAD
NOISE = inspect.signature(microdiffusion.denoise).parameters['noise'].default


def logits_of(probs):
    """Logits whose softmax gives these probabilities."""
    return [microdiffusion.Value(math.log(p) + 3.0 if p else -1e6) for p in probs]


class Draw(unittest.TestCase):
    """draw: first whether the name ends, at temperature 1, then a letter at the temperature."""

    def counts(self, program, probs, tokens, temperature, draws=3000):
        rng, logits = random.Random(3), logits_of(probs)
        return collections.Counter([program.draw(logits, tokens, rng, temperature)
                                    for _ in range(draws)])

    def test_a_name_ends_at_its_own_rate_whatever_the_temperature(self):
        for program, probs in ((microgpt, [0.3, 0.5, 0.2]), (microdiffusion, [0, 0.3, 0.5, 0.2])):
            tokens = range(program.END, len(probs))
            for temperature in (0.05, 0.5, 1.0, 5.0):
                with self.subTest(program=program.PROGRAM, temperature=temperature):
                    counts = self.counts(program, probs, tokens, temperature)
                    self.assertAlmostEqual(0.3, counts[program.END] / 3000, delta=0.035)

    def test_letters_are_drawn_at_the_temperature(self):
        """The second letter against the first: (0.2 / 0.5) ** (1 / temperature)."""
        for program, probs in ((microgpt, [0.3, 0.5, 0.2]), (microdiffusion, [0, 0.3, 0.5, 0.2])):
            first = program.END + 1
            for temperature in (0.25, 0.5, 1.0, 4.0):
                with self.subTest(program=program.PROGRAM, temperature=temperature):
                    counts = self.counts(program, probs, range(program.END, len(probs)),
                                         temperature)
                    ratio = (0.2 / 0.5) ** (1 / temperature)
                    letters = counts[first] + counts[first + 1]
                    self.assertAlmostEqual(ratio / (1 + ratio), counts[first + 1] / letters,
                                           delta=0.045)

    def test_a_letter_far_less_likely_than_the_likeliest_is_never_drawn(self):
        """min-p: by their probabilities at temperature 1, and the end does not count."""
        for program, probs in ((microgpt, [0.5, 0.3, 0.14, 0.05, 0.01]),
                               (microdiffusion, [0, 0.5, 0.3, 0.14, 0.05, 0.01])):
            first = program.END + 1
            for min_p, count in ((0.0, 4), (0.1, 3), (0.2, 2), (0.6, 1)):
                draw = functools.partial(program.draw, min_p=min_p)
                with mock.patch.object(program, 'draw', draw):
                    counts = self.counts(program, probs, range(program.END, len(probs)), 4.0)
                self.assertEqual(set(range(first, first + count)), set(counts) - {program.END},
                                 f'{program.PROGRAM}, min_p {min_p}')
                self.assertAlmostEqual(0.5, counts[program.END] / 3000, delta=0.035)

    def test_by_default_a_fifth_of_the_likeliest_is_enough(self):
        counts = self.counts(microgpt, [0.0, 0.6, 0.13, 0.11], [1, 2, 3], 1.0)
        self.assertEqual({1, 2}, set(counts))

    def test_only_the_given_tokens_are_drawn_and_they_share_all_probability(self):
        probs = [0.1, 0.4, 0.2, 0.2, 0.1]
        counts = self.counts(microdiffusion, probs, [PAD, 3], 1.0)
        self.assertEqual({PAD, 3}, set(counts))
        self.assertAlmostEqual(2 / 3, counts[PAD] / 3000, delta=0.035)
        self.assertEqual({2, 3, 4}, set(self.counts(microdiffusion, probs, range(2, 5), 1.0)))

    def test_the_end_alone_is_certain_even_if_the_model_holds_it_impossible(self):
        counts = self.counts(microdiffusion, [0, 0, 0.5, 0.5], [PAD], 0.5, 100)
        self.assertEqual({PAD: 100}, dict(counts))


class Rules(unittest.TestCase):
    """allowed: the tokens that may stand at a position, so that a name ends once."""

    def letters_and_end(self, tokens, n, least=0):
        """(may a letter stand at n?, may the end?) where `tokens` is text: _ a MASK, . a PAD."""
        tokens = ['_.ab'.index(char) for char in tokens]
        found = set(microdiffusion.allowed(tokens, n, least, 4))
        self.assertIn(found, ({PAD}, {2, 3}, {PAD, 2, 3}))
        return 2 in found, PAD in found

    def test_the_last_position_is_no_letter_as_a_name_has_at_most_13(self):
        for text in ('_' * 14, 'a' * 13 + '_', 'ab' + '_' * 12):
            self.assertEqual((False, True), self.letters_and_end(text, 13), text)
        self.assertEqual((True, True), self.letters_and_end('_' * 14, 12))
        self.assertEqual((False, True), self.letters_and_end('_' * 14, 13, 13))

    def test_after_the_end_there_are_no_letters(self):
        for n in (3, 4, 13):
            self.assertEqual((False, True), self.letters_and_end('a_.' + '_' * 11, n))

    def test_before_a_letter_there_is_no_end(self):
        for n in (0, 1, 2):
            self.assertEqual((True, False), self.letters_and_end('___b' + '_' * 10, n))
        self.assertEqual((True, True), self.letters_and_end('___b' + '_' * 10, 4))

    def test_a_name_has_at_least_as_many_letters_as_were_asked_for(self):
        for n, expected in ((0, (True, False)), (4, (True, False)), (5, (True, True))):
            self.assertEqual(expected, self.letters_and_end('_' * 14, n, 5))

    def test_where_nothing_is_known_anything_may_stand(self):
        for n in range(13):
            self.assertEqual((True, True), self.letters_and_end('_' * 14, n))
        self.assertEqual((True, True), self.letters_and_end('_' * 9 + '.' * 5, 8))


class Schedule(unittest.TestCase):
    def test_how_many_masks_are_left_after_each_step(self):
        expected = {1: [0],
                    2: [11, 0],
                    8: [15, 14, 13, 11, 8, 6, 3, 0],
                    16: [15, 15, 15, 14, 14, 13, 12, 11, 10, 8, 7, 6, 4, 3, 1, 0]}
        for steps, left in expected.items():
            self.assertEqual(left, [microdiffusion.masks_left(16, i, steps)
                                    for i in range(1, steps + 1)], f'{steps} steps')

    def test_a_whole_number_is_not_lost_to_rounding(self):
        """cos(60 degrees) is a half: two thirds of the steps leave half of the masks."""
        for steps in range(3, 1000, 3):
            for total in (2, 16):
                left = microdiffusion.masks_left(total, 2 * steps // 3, steps)
                self.assertEqual(total // 2, left, f'{total} masks, {steps} steps')

    def test_no_step_brings_masks_back_and_the_last_one_leaves_none(self):
        for steps in (1, 3, 7, 100):
            for total in (0, 1, 5, 16):
                left = [microdiffusion.masks_left(total, i, steps) for i in range(steps + 1)]
                self.assertEqual(sorted(left, reverse=True), left)
                self.assertEqual((total, 0), (left[0], left[-1]))


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


class Denoising(SmallModels):
    block_size = 16

    def frames(self, steps=8, seed=1, tokens=None, **options):
        tokens = [MASK] * 16 if tokens is None else tokens
        return list(microdiffusion.denoise(
            self.weights, tokens, random.Random(seed), steps, **options))

    def name(self, **options):
        return microdiffusion.decode(self.frames(**options)[-1][2], self.vocab)

    def test_how_many_tokens_each_step_reveals(self):
        expected = {1: {1: 16}, 2: {1: 5, 2: 11},
                    8: {1: 1, 2: 1, 3: 1, 4: 2, 5: 3, 6: 2, 7: 3, 8: 3},
                    16: dict(zip(range(1, 17), [1, 0, 0, 1, 0, 1, 1, 1, 1, 2, 1, 1, 2, 1, 2, 1]))}
        for steps, reveals in expected.items():
            left, seen = 16, {}
            for step, _, tokens in self.frames(steps):
                seen[step] = left - tokens.count(MASK)
                left = tokens.count(MASK)
            self.assertEqual({step: n for step, n in reveals.items() if n}, seen, f'{steps} steps')

    def test_the_schedule_counts_the_masks_of_the_prompt(self):
        tokens = [3, 4] + [MASK] * 6 + [PAD] * 8
        left = [frame.count(MASK) for _, _, frame in self.frames(3, tokens=tokens)]
        self.assertEqual([5, 3, 0], left)   # 6 cos(30 degrees), 6 cos(60), 6 cos(90)

    def test_steps_that_reveal_nothing_evaluate_nothing(self):
        for steps in (1, 8, 16, 1000):
            with mock.patch.object(microdiffusion, 'mask_predictor',
                                   side_effect=microdiffusion.mask_predictor) as model:
                frames = self.frames(steps)
            self.assertEqual(len(frames), model.call_count, f'{steps} steps')
            self.assertLessEqual(len(frames), min(steps, 16))

    def test_a_prompt_without_masks_evaluates_nothing_and_yields_nothing(self):
        with mock.patch.object(microdiffusion, 'mask_predictor', side_effect=AssertionError):
            self.assertEqual([], self.frames(8, tokens=[3] * 5 + [PAD] * 11))

    def test_the_temperature_is_whole_in_the_first_step_and_falls_by_the_same_with_each_other(self):
        """With the step, not with the masks left: idle steps count as well. It ends near half."""
        for steps in (1, 8, 16):
            frames = [(step, temperature / 0.8)
                      for step, temperature, _ in self.frames(steps, temperature=0.8)]
            self.assertEqual((1, 1.0), frames[0])
            for step, share in frames[1:]:
                last, least = frames[-1]
                self.assertAlmostEqual(1 - (1 - least) * (step - 1) / (last - 1), share,
                                       msg=f'step {step} of {steps}')
                self.assertTrue(0.3 < least < 0.7, 'annealing')

    def test_every_token_is_drawn_at_the_temperature_of_its_step(self):
        drawn = []

        def draw(logits, tokens, rng, temperature):
            drawn.append(temperature)
            return tokens[-1]

        with mock.patch.object(microdiffusion, 'draw', draw):
            left, expected = 16, []
            for _, temperature, tokens in self.frames(8, temperature=0.6):
                expected += [temperature] * (left - tokens.count(MASK))
                left = tokens.count(MASK)
        self.assertEqual(expected, drawn)

    def test_cold_it_writes_its_likeliest_letters_and_hot_all_sorts(self):
        tokens = [MASK] * 6 + [PAD] * 10
        cold, hot = [{self.name(seed=seed, tokens=tokens, shortest=6, noise=0,
                                temperature=temperature) for seed in range(6)}
                     for temperature in (0.001, 3.0)]
        self.assertEqual(1, len(cold), 'the sampler ignores its temperature')
        self.assertEqual(6, len(hot), 'the sampler ignores its temperature')

    def test_what_is_revealed_stays(self):
        for seed in range(5):
            before = [MASK] * 16
            for _, _, tokens in self.frames(12, seed):
                for old, new in zip(before, tokens):
                    self.assertIn(old, (MASK, new), 'carry-over')
                before = tokens
            self.assertNotIn(MASK, before)

    def test_the_prompt_itself_is_left_as_it_was(self):
        tokens = [3] + [MASK] * 15
        self.frames(4, tokens=tokens)
        self.assertEqual([3] + [MASK] * 15, tokens)

    def test_each_frame_is_a_list_of_its_own(self):
        frames = [tokens for _, _, tokens in self.frames(8)]
        self.assertEqual(len(frames), len({tokens.count(MASK) for tokens in frames}))

    def test_a_name_ends_once_at_every_step(self):
        for seed in range(8):
            for steps in (1, 3, 8):
                for _, _, tokens in self.frames(steps, seed, temperature=3.0):
                    if PAD in tokens:
                        end = tokens.index(PAD)
                        self.assertFalse([t for t in tokens[end:] if t > PAD], tokens)

    def test_a_name_has_at_most_15_letters_even_if_the_model_would_never_end_it(self):
        def endless(state_dict, tokens, wanted):
            return [logits_of([0, 0] + [0.1] * (len(self.vocab) - 2)) for _ in wanted]

        with mock.patch.object(microdiffusion, 'mask_predictor', endless):
            for seed in range(4):
                for steps in (1, 16):
                    self.assertRegex(self.name(steps=steps, seed=seed), r'^[a-z]{15}\.$')

    def test_prompts_keep_what_is_known(self):
        vocab = '_.' + ''.join(sorted('abdegilmno'))
        self.weights = large_weights(microdiffusion, vocab, self.rng)
        for text, pattern in (('m__ia.', 'm??ia' + '.' * 11), ('__.', '??' + '.' * 14),
                              ('leo', 'leo' + '*' * 13), ('a_d', 'a?d' + '*' * 13)):
            for seed in range(4):
                tokens, shortest = microdiffusion.read_prompt(text, vocab)
                *_, (_, _, out) = self.frames(5, seed, tokens, shortest=shortest)
                name = microdiffusion.decode(out, vocab)
                for wanted, got in zip(pattern, name):
                    self.assertTrue(wanted == '*' or wanted == got or wanted == '?' and got != '.',
                                    f'{text}: {name}')

    def test_same_seed_same_names_and_another_seed_another(self):
        self.assertEqual(self.frames(seed=3), self.frames(seed=3))
        self.assertNotEqual(self.frames(seed=3), self.frames(seed=4))


class Order(SmallModels):
    """Which positions are revealed first: the surest, apart from noise that fades."""
    block_size = 16

    def revealed(self, steps, seed=1, **options):
        """The positions that each step reveals, of 15 that are to be letters."""
        tokens, before, out = [MASK] * 15 + [PAD], set(), {}
        for i, _, frame in microdiffusion.denoise(self.weights, tokens, random.Random(seed), steps,
                                                  shortest=15, **options):
            known = {n for n in range(15) if frame[n] != MASK}
            out[i] = known - before
            before = known
        return out

    def test_without_noise_the_surest_positions_are_revealed(self):
        """By their largest probability at temperature 1, among the tokens that may stand there."""
        logits = data(microdiffusion.mask_predictor(self.weights, [MASK] * 15 + [PAD]))
        sure = []
        for z in logits[:15]:
            letters = [math.exp(x) for x in z[PAD + 1:]]
            sure.append(max(letters) / sum(letters))
        surest = sorted(range(15), key=lambda n: -sure[n])
        for temperature in (0.1, 5.0):
            first = self.revealed(2, noise=0, temperature=temperature)[1]
            self.assertEqual(set(surest[:5]), first)

    def test_with_much_noise_the_order_is_nearly_random(self):
        first = collections.Counter()
        for seed in range(24):
            first.update(self.revealed(2, seed, noise=1000.0)[1])
        self.assertGreater(len(first), 9)

    def test_noise_fades_with_the_share_of_masks_that_are_left(self):
        """Of 15 positions 4 are sure; the other 11 are less sure by half of the noise, and have it.

        So it decides as long as over half of the masks are left, and no longer after that.
        """
        wanted_now, others = [], len(self.vocab) - 3

        def predictor(state_dict, tokens, wanted):
            wanted_now[:] = wanted
            out = []
            for n in wanted:
                best = 0.95 * math.exp(-NOISE / 2 if n % 4 else 0)
                out.append(logits_of([0, 0, best] + [(1 - best) / others] * others))
            return out

        def gumbel(rng):
            return float(wanted_now.pop(0) % 4 > 0)

        with mock.patch.multiple(microdiffusion, mask_predictor=predictor, gumbel=gumbel):
            steps = self.revealed(16)
        known = set()
        for i, positions in steps.items():
            known |= positions
            sure = {n for n in known if n % 4 == 0}
            if len(known) <= 7:
                self.assertEqual(set(), sure, f'step {i}: noise decides while many are left')
            if len(known) >= 12:
                self.assertEqual({0, 4, 8, 12}, sure, f'step {i}: noise fades')


class Generation(SmallModels):
    block_size = 16

    def name(self, seed, temperature=1.0, start=()):
        return microgpt.generate(self.gpt_weights, list(start), random.Random(seed), temperature)

    def test_a_name_has_a_letter_at_least(self):
        """Even a model that is sure of the end at once writes a letter first."""
        def sure_of_the_end(state_dict, tokens, cache=None):
            return [[microgpt.Value(50.0 * (n == microgpt.BOS)) for n in range(4)] for _ in tokens]

        with mock.patch.object(microgpt, 'gpt', sure_of_the_end):
            self.assertEqual(1, len(self.name(1)))
        vocab = microdiffusion.SPECIAL + 'ab'
        for text in ('', '_'):
            self.assertEqual(1, microdiffusion.read_prompt(text, vocab)[1])
        usual = inspect.signature(microdiffusion.denoise).parameters
        self.assertEqual(1, usual['shortest'].default)

    def test_cold_it_writes_its_likeliest_letters_and_hot_all_sorts(self):
        """Cold, names differ in nothing but where they end."""
        cold = [self.name(seed, 0.001) for seed in range(12)]
        longest = max(cold, key=len)
        self.assertGreater(len(longest), 3)
        for name in cold:
            self.assertEqual(longest[:len(name)], name, 'the sampler ignores its temperature')
        any_letter = functools.partial(microgpt.draw, min_p=0.0)
        with mock.patch.object(microgpt, 'draw', any_letter):
            hot = {tuple(self.name(seed, 3.0)[:3]) for seed in range(12)}
        self.assertGreater(len(hot), 8, 'the sampler ignores its temperature')

    def test_each_token_is_drawn_from_what_follows_all_tokens_before_it(self):
        """As the whole sequence without a cache says."""
        seen = []

        def draw(logits, tokens, rng, temperature):
            seen.append([z.data for z in logits])
            self.assertEqual(list(range(len(self.gpt_vocab))), list(tokens))
            return 0 if len(seen) == 6 else len(seen)

        with mock.patch.object(microgpt, 'draw', draw):
            self.assertEqual([3, 4, 1, 2, 3, 4, 5], self.name(1, start=[3, 4]))
        whole = data(microgpt.gpt(self.gpt_weights, [microgpt.BOS, 3, 4, 1, 2, 3, 4, 5]))
        self.assertEqual(whole[2:], seen)

    def test_a_beginning_is_continued(self):
        start = [self.gpt_vocab.index(char) for char in 'le']
        for seed in range(5):
            name = self.name(seed, start=start)
            self.assertEqual(start, name[:2])
            self.assertNotIn(microgpt.BOS, name)

    def test_the_beginning_itself_is_left_as_it_was(self):
        start = [3, 4]
        microgpt.generate(self.gpt_weights, start, random.Random(1))
        self.assertEqual([3, 4], start)

    def test_a_name_has_at_most_15_letters_even_if_the_model_would_never_end_it(self):
        with mock.patch.object(microgpt, 'draw', lambda *_: 3):
            self.assertEqual([3] * 15, self.name(1))
            self.assertEqual([4] * 15, self.name(1, start=[4] * 15))

    def test_same_seed_same_name_and_another_seed_another(self):
        first, again, other = [self.name(seed) for seed in (3, 3, 4)]
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)

    def test_samplers_of_both_programs_share_draw(self):
        sources = [inspect.getsource(program.draw) for program in PROGRAMS]
        self.assertEqual(*sources)


if __name__ == '__main__':
    unittest.main()
