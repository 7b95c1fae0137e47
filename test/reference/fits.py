#!/usr/bin/env python3
"""Writes fits.txt: small sets of customers and what fits of the models to them must give.

    python3 test/reference/fits.py > test/reference/fits.txt        (needs mpmath; some minutes)

The likelihoods are those of the papers, written down with rising factorials, a plain
integral over the time of loss (paretonbd) and a plain sum over the period of loss (bgbb),
in 40 digits. Derivatives are differences, so that nothing here is derived by hand.

A case is a line "model title", a line for each history: "frequency recency age customers" (gamma_gamma:
"frequency monetary_value customers", sbg: "survivors ..."), and then

    = name estimate std_error          for each parameter
    = covariance number ...            the lower triangle, row by row
    = log_likelihood number
"""
import math
import random
import sys

from mpmath import fp, mp, mpf

mp.dps = 40
# What computes: doubles to come near, 40 digits to arrive.
context = mp
# In units of a parameter: what a difference cuts off is its square, what it loses 1e-40 over its square.
STEP = {fp: 1e-4, mp: mpf(10) ** -10}
factorials = {}


def rising(x, n):
    """gamma(x + n) / gamma(x) = x (x + 1) ... (x + n - 1), n a whole number."""
    if len(factorials) > 200:
        factorials.clear()
    known = factorials.setdefault((context, x), [context.mpf(1)])
    while len(known) <= n:
        known.append(known[-1] * (x + len(known) - 1))
    return known[n]


def log_rising(x, n):
    if context is fp:
        return math.lgamma(x + n) - math.lgamma(x)
    return mp.log(rising(x, n))


def beta_ratio(a, b, m, n):
    """B(a + m, b + n) / B(a, b)."""
    if context is fp:
        return math.exp(log_rising(a, m) + log_rising(b, n) - log_rising(a + b, m + n))
    return rising(a, m) * rising(b, n) / rising(a + b, m + n)


def log_gamma(x):
    return math.lgamma(x) if context is fp else mp.loggamma(x)


def log_sum(first, second):
    larger = max(first, second)
    return larger + context.log(context.exp(first - larger) + context.exp(second - larger))


def bgnbd(parameters, history):
    """Fader, Hardie, Lee 2005, equation 6."""
    r, alpha, a, b = parameters
    x, tx, t = history
    n = int(x)
    survived = log_rising(b, n) - log_rising(a + b, n)    # B(a, b + x) / B(a, b)
    result = survived - (r + x) * context.log(alpha + t)
    if n > 0:
        # B(a + 1, b + x - 1) / B(a, b)
        result = log_sum(result, survived + context.log(a / (b + x - 1)) - (r + x) * context.log(alpha + tx))
    return log_rising(r, n) + r * context.log(alpha) + result


def mbgnbd(parameters, history):
    """The same, lost after the first purchase too: Batislam, Denizel, Filiztekin 2007."""
    r, alpha, a, b = parameters
    x, tx, t = history
    n = int(x)
    alive = log_rising(b, n + 1) - log_rising(a + b, n + 1) - (r + x) * context.log(alpha + t)
    lost = context.log(a) + log_rising(b, n) - log_rising(a + b, n + 1) - (r + x) * context.log(alpha + tx)
    return log_rising(r, n) + r * context.log(alpha) + log_sum(alive, lost)


def paretonbd(parameters, history):
    """Lost at a time tau after tx, or alive at the end: the integral over tau as it stands."""
    r, alpha, s, beta = parameters
    x, tx, t = history
    # all but the integral is taken out in logarithms, so that nothing underflows
    scale = -(r + x) * context.log(alpha + tx) - (s + 1) * context.log(beta + tx)

    def density(tau):
        return context.exp(-(r + x) * context.log((alpha + tau) / (alpha + tx)) - (s + 1) * context.log((beta + tau) / (beta + tx)))

    integral = 0
    # piece by piece, so that a piece is no longer than its distance to where the density has a pole
    width = min((alpha + tx) / (r + x), (beta + tx) / (s + 1))
    at = tx
    while at < t:
        end = at + width if at + 2 * width < t else t
        middle, half = (at + end) / 2, (end - at) / 2
        integral += half * context.fsum(weight * density(middle + half * node) for node, weight in nodes())
        at = end
        width *= 2
    alive = context.exp(-(r + x) * context.log((alpha + t) / (alpha + tx)) - s * context.log((beta + t) / (beta + tx))) * (beta + tx)
    return log_rising(r, int(x)) + r * context.log(alpha) + s * context.log(beta) + scale + context.log(alive + s * integral)


def nodes():
    """Of Gauss and Legendre: 40, which leave 1e-50 where the pole is so far."""
    if context not in known_nodes:
        count = 40 if context is mp else 12
        known_nodes[context] = found = []
        with mp.workdps(60):
            for i in range(count):
                x = mp.cos(mp.pi * (i + mpf(3) / 4) / (count + mpf(1) / 2))
                for _ in range(8):
                    # by their recurrence, the last two Legendre polynomials
                    last, before = x, mpf(1)
                    for n in range(2, count + 1):
                        last, before = ((2 * n - 1) * x * last - (n - 1) * before) / n, last
                    slope = count * (x * last - before) / (x * x - 1)
                    x -= last / slope
                found.append((context.mpf(x), context.mpf(2 / ((1 - x * x) * slope * slope))))
    return known_nodes[context]


known_nodes = {}


def bgbb(parameters, history):
    """Fader, Hardie, Shang 2010, equation 5."""
    alpha, beta, gamma, delta = parameters
    x, tx, n = (int(number) for number in history)
    total = beta_ratio(alpha, beta, x, n - x) * beta_ratio(gamma, delta, 0, n)
    for i in range(tx, n):
        total += beta_ratio(alpha, beta, x, i - x) * beta_ratio(gamma, delta, 1, i)
    return context.log(total)


def gamma_gamma(parameters, history):
    """Fader, Hardie 2013, equation 1a."""
    p, q, v = parameters
    x, m = history
    return (log_gamma(p * x + q) - log_gamma(p * x) - log_gamma(q) + q * context.log(v) + (p * x - 1) * context.log(m) +
            p * x * context.log(x) - (p * x + q) * context.log(x * m + v))


def sbg(parameters, survivors):
    """Fader, Hardie 2007: who leaves in period t was there for t - 1 periods."""
    alpha, beta = parameters

    def stays(t):
        return beta_ratio(alpha, beta, 0, t)

    total = survivors[-1] * context.log(stays(len(survivors) - 1))
    for t in range(1, len(survivors)):
        total += (survivors[t - 1] - survivors[t]) * context.log(stays(t - 1) - stays(t))
    return total


MODELS = {
    'bgnbd': (bgnbd, ('r', 'alpha', 'a', 'b')),
    'mbgnbd': (mbgnbd, ('r', 'alpha', 'a', 'b')),
    'paretonbd': (paretonbd, ('r', 'alpha', 's', 'beta')),
    'bgbb': (bgbb, ('alpha', 'beta', 'gamma', 'delta')),
    'gamma_gamma': (gamma_gamma, ('p', 'q', 'v')),
    'sbg': (sbg, ('alpha', 'beta')),
}


def log_likelihood(model, histories):
    function = MODELS[model][0]
    if model == 'sbg':
        return lambda parameters: function(parameters, histories)

    def sum_of_customers(parameters):
        return context.fsum(history[-1] * function(parameters, [context.mpf(number) for number in history[:-1]]) for history in histories)
    return sum_of_customers


def gradient(function, at):
    """By the logarithms of the parameters."""
    def moved(i, direction):
        return function([x * context.exp(direction * STEP[context]) if i == j else x for j, x in enumerate(at)])
    return mp.matrix([mpf(moved(i, 1) - moved(i, -1)) / (2 * STEP[context]) for i in range(len(at))])


def hessian(function, at):
    """By the logarithms of the parameters."""
    def moved(**moves):
        return function([x * context.exp(moves.get('i%d' % j, 0) * STEP[context]) for j, x in enumerate(at)])
    result = mp.matrix(len(at))
    middle = function(at)
    for i in range(len(at)):
        result[i, i] = mpf(moved(**{'i%d' % i: 1}) - 2 * middle + moved(**{'i%d' % i: -1})) / STEP[context] ** 2
        for j in range(i):
            corners = [sign_i * sign_j * moved(**{'i%d' % i: sign_i, 'i%d' % j: sign_j}) for sign_i in (1, -1) for sign_j in (1, -1)]
            result[i, j] = result[j, i] = mpf(sum(corners)) / (4 * STEP[context] ** 2)
    return result


def maximise(function, start):
    global context
    at = list(start)
    for context, enough, rounds in ((fp, 1e-5, 40), (mp, mpf(10) ** -25, 8)):
        at = [context.mpf(x) for x in at]
        inverse = None
        for _ in range(rounds):
            if context is fp or inverse is None:
                values, vectors = mp.eigsy(-hessian(function, at))
                inverse = vectors * mp.diag([1 / abs(value) for value in values]) * vectors.T
            move = inverse * gradient(function, at)
            longest = max(abs(x) for x in move)
            part = context.mpf(min(mpf(1), 1 / longest))
            if context is fp and longest > 0.01:
                here = function(at)
                while function([x * context.exp(part * context.mpf(y)) for x, y in zip(at, move)]) < here:
                    part /= 2
            at = [x * context.exp(part * context.mpf(y)) for x, y in zip(at, move)]
            if longest < enough:
                break
        else:
            raise ValueError('no maximum found: %s, the last step %s' % (at, longest))
    return at


def covariance_of(function, at):
    """The inverse of minus the Hessian by the parameters themselves: the gradient is 0."""
    curvature = -hessian(function, at)
    if min(mp.eigsy(curvature, eigvals_only=True)) <= 0:
        raise ValueError('not a maximum: %s' % at)
    return mp.diag(at) * curvature ** -1 * mp.diag(at)


def poisson_process(generator, rate, first, end):
    """Times of purchases."""
    at = first
    while True:
        at += generator.expovariate(rate)
        if at > end:
            return
        yield at


def simulate(model, generator, parameters, age):
    """What one customer does."""
    if model in ('bgnbd', 'mbgnbd'):
        r, alpha, a, b = parameters
        rate, chance = generator.gammavariate(r, 1) / alpha, generator.betavariate(a, b)
        x, last = 0, 0
        if model == 'mbgnbd' and generator.random() < chance:
            return 0, 0, age
        for at in poisson_process(generator, rate, 0, age):
            x, last = x + 1, at
            if generator.random() < chance:
                break
        return x, last, age
    if model == 'paretonbd':
        r, alpha, s, beta_ = parameters
        rate, loss = generator.gammavariate(r, 1) / alpha, generator.gammavariate(s, 1) / beta_
        times = list(poisson_process(generator, rate, 0, min(age, generator.expovariate(loss))))
        return len(times), times[-1] if times else 0, age
    alpha, beta_, gamma, delta = parameters
    buys, leaves = generator.betavariate(alpha, beta_), generator.betavariate(gamma, delta)
    x, last = 0, 0
    for i in range(1, int(age) + 1):
        if generator.random() < leaves:
            break
        if generator.random() < buys:
            x, last = x + 1, i
    return x, last, age


def customers_of(model, seed, parameters, ages, count, rounding, most=1):
    """Simulated histories; recency and age are rounded, and each customer of a history may stand for more."""
    generator = random.Random(seed)
    counts = {}
    for _ in range(count):
        x, last, age = simulate(model, generator, parameters, generator.choice(ages))
        last = min(rounding(last), age)
        weight = generator.randint(1, most)
        counts[x, last, age] = counts.get((x, last, age), 0) + weight
    return [(*history, counts[history]) for history in sorted(counts)]


def spend_of(seed, parameters, count, largest, most=1):
    generator = random.Random(seed)
    p, q, v = parameters
    counts = {}
    for _ in range(count):
        x = int(math.exp(generator.random() * math.log(largest))) + (generator.random() < 0.5)
        nu = generator.gammavariate(q, 1) / v
        mean = max(round(generator.gammavariate(p * x, 1) / nu / x, 2), 0.01)
        counts[x, mean] = counts.get((x, mean), 0) + generator.randint(1, most)
    return [(*history, counts[history]) for history in sorted(counts)]


WEEKS = lambda time: round(time * 7) / 7
TENTHS = lambda time: round(time, 1)
WHOLE = lambda time: float(round(time))

HOLDOUT = [27.0, 31.0, 35.5, 39.0]


def cases():
    """Model, title, histories, and where the search starts."""
    for model, seeds in (('bgnbd', (5, 15, 25, 35, 45)), ('mbgnbd', (8, 2, 1, 8, 8))):
        start = (0.6, 6, 0.8, 2.4)
        yield model, 'weeks', customers_of(model, seeds[0], start, HOLDOUT, 70, WEEKS, 40), start
        yield model, 'tenths of weeks, each counts once', customers_of(model, seeds[1], (1.1, 9, 0.9, 1.7), [20.0, 40.0], 150, TENTHS), start
        # the same customers, by another clock
        weeks = customers_of(model, seeds[2], (0.7, 5, 0.6, 1.5), [26.0, 39.0], 70, TENTHS, 9)
        yield model, 'fractional days', [(x, tx * 7, t * 7, n) for x, tx, t, n in weeks], (0.7, 35, 0.6, 1.5)
        seconds = [(x, float(round(tx * 604800)), t * 604800, n) for x, tx, t, n in weeks]
        yield model, 'seconds', seconds, (0.7, 5 * 604800, 0.6, 1.5)
        # hundreds of purchases, and a part without any loss: recency = age
        often = (1.3, 0.4, 0.5, 60)
        histories = customers_of(model, seeds[3], often, [50.0, 90.0, 130.0], 40, TENTHS, 5) + [(120, 90.0, 90.0, 2), (3, 50.0, 50.0, 1)]
        yield model, 'hundreds of purchases', histories, often
        many = customers_of(model, seeds[4], start, [39.0], 60, WHOLE, 30)
        yield model, 'millions of customers', [(x, tx, t, n * 123457) for x, tx, t, n in many], start
    start = (0.6, 10, 0.6, 12)
    yield 'paretonbd', 'weeks', customers_of('paretonbd', 8, start, HOLDOUT, 60, WEEKS, 40), start
    far = (0.8, 1.5, 1.4, 90)
    yield 'paretonbd', 'alpha and beta far apart', customers_of('paretonbd', 2, far, [52.0, 70.0], 45, TENTHS, 9), far
    days = customers_of('paretonbd', 3, (1.2, 40, 0.7, 8), [180.0, 270.0], 50, TENTHS, 30)
    yield 'paretonbd', 'fractional days, alpha above beta', days, (1.2, 40, 0.7, 8)
    yield 'paretonbd', 'seconds', [(x, tx * 86400, t * 86400, n) for x, tx, t, n in days], (1.2, 40 * 86400, 0.7, 8 * 86400)
    often = (1.3, 0.4, 0.8, 30)
    histories = customers_of('paretonbd', 5, often, [50.0, 90.0, 130.0], 40, TENTHS, 5) + [(120, 90.0, 90.0, 2), (3, 50.0, 50.0, 1)]
    yield 'paretonbd', 'hundreds of purchases', histories, often
    start = (1.2, 0.75, 0.66, 2.8)
    yield 'bgbb', 'six opportunities', customers_of('bgbb', 8, start, [6.0], 200, WHOLE, 60), start
    yield 'bgbb', 'cohorts', customers_of('bgbb', 18, (0.9, 2.5, 0.8, 6), [4.0, 8.0, 12.0], 80, WHOLE, 30), start
    often = (1.5, 3, 0.8, 60)
    yield 'bgbb', 'hundreds of opportunities', customers_of('bgbb', 5, often, [200.0, 300.0], 40, WHOLE, 30), often
    start = (6.25, 3.74, 15.44)
    yield 'gamma_gamma', 'pounds', spend_of(9, start, 60, 12), start
    yield 'gamma_gamma', 'pence, counted', [(x, round(m * 100), n) for x, m, n in spend_of(4, (4, 3, 20), 60, 12, 40)], (4, 3, 2000)
    yield 'gamma_gamma', 'hundreds of purchases', spend_of(3, (1.8, 2.5, 300), 40, 900, 3), (1.8, 2.5, 300)
    yield 'gamma_gamma', 'no mean: q below 1', spend_of(2, (2, 0.7, 5), 60, 12), (2, 0.7, 5)
    yield 'sbg', 'high end', [1000, 869, 743, 653, 593, 551, 517, 491], (0.67, 3.8)
    yield 'sbg', 'regular', [1000, 631, 468, 382, 326, 289, 262, 241], (0.7, 1.2)
    yield 'sbg', 'two periods', [1000, 800, 700], (1, 4)
    yield 'sbg', 'a year of weeks of millions', [round(3e9 * 7 / (7 + t) * (20 / (20 + t)) ** 0.3) for t in range(53)], (1, 5)


def digits(number):
    return mp.nstr(number, 20)


def main():
    print('# Made by fits.py')
    for model, title, histories, start in cases():
        if len(sys.argv) > 1 and sys.argv[1] not in (model, title):
            continue
        function = log_likelihood(model, histories)
        at = maximise(function, start)
        covariance = covariance_of(function, at)
        print(model, title)
        for history in [histories] if model == 'sbg' else histories:
            print(*(repr(int(number)) if number == int(number) else repr(number) for number in history))
        for i, name in enumerate(MODELS[model][1]):
            print('=', name, digits(at[i]), digits(mp.sqrt(covariance[i, i])))
        print('= covariance', *(digits(covariance[i, j]) for i in range(len(at)) for j in range(i + 1)))
        print('= log_likelihood', digits(function(at)))
        sys.stdout.flush()
        print('%s, %s: %d histories' % (model, title, len(histories)), *(mp.nstr(x, 6) for x in at), file=sys.stderr)


if __name__ == '__main__':
    main()
