"""Reference of the scoring of BG/NBD and MBG/NBD, to 22 digits.

    python3 test/reference/buyers.py > test/reference/buyers.txt      (about 10 minutes; needs mpmath)

Nothing here is computed as the extension does it. There, everything is a mean over the beta
distribution of p, or a sum of negative binomial terms; here:

p_alive                 the likelihood of being alive by that of the history, from gamma functions
expected_purchases      the published closed form with 2F1, analytically continued where it is singular
                        (a = 1, a + b = 1) by moving a by 1e-40 at 120 digits
purchase_probability    the published formula with all terms of the tail of the negative binomial
discounted_purchases    the integral over time of e^(-rate t) times the derivative of the expected purchases, a 2F1; of many
                        purchases, exponential integrals over p

Each case in one line: function, model, parameters, frequency, recency, age, extra arguments, value. The format is
that of all buyers*.txt; test/t/052_buyers.pl reads them.
"""
import sys
from mpmath import mp, mpf, exp, expint, expm1, hyp2f1, inf, log, log1p, loggamma, nstr, psi, quad, sqrt
from mpmath.libmp import NoConvergence

mp.dps = 50


def main():
    print('# Made by buyers.py')
    for model in 'bgnbd', 'mbgnbd':
        for parameters, buyer in cases():
            write('p_alive', model, parameters, buyer, [], p_alive(model, parameters, buyer))
        for parameters, buyer, horizon in expected_cases():
            write('expected_purchases', model, parameters, buyer, [horizon], expected(model, parameters, buyer, horizon))
        for parameters, buyer, n, horizon in probability_cases():
            write('purchase_probability', model, parameters, buyer, [n, horizon], probability(model, parameters, buyer, n, horizon))
        for parameters, buyer, rate, horizon in discounted_cases():
            write('discounted_purchases', model, parameters, buyer, [rate, horizon], discounted(model, parameters, buyer, rate, horizon))


# r, alpha, a, b: CDNOW's; a = 1; a + b < 1; a + b = 1; a = 1 beside a small b; small, large, and far apart ones
CDNOW = (0.2426, 4.414, 0.793, 2.426)
PARAMETERS = [
    CDNOW,
    (0.52484, 6.18309, 0.89136, 1.61400),
    (0.5, 10.0, 1.0, 2.0),
    (0.5, 10.0, 1.0, 1.0),
    (0.75, 3.0, 0.2, 0.3),
    (0.75, 3.0, 0.25, 0.75),
    (2.0, 5.0, 2.0, 3.0),
    (0.01, 0.02, 0.03, 0.04),
    (1e-6, 1e-6, 1e-6, 1e-6),
    (100.0, 2000.0, 50.0, 400.0),
    (1e6, 1e7, 1e5, 1e6),
    (0.3, 7721.0, 0.9, 2.5),
    (0.6, 0.001, 0.5, 7721.0),
    (3.0, 12.0, 7721.0, 1.5),
    (0.2426, 4.414, 1e-8, 2.426),
    (0.2426, 4.414, 0.793, 1e-8),
]

# frequency, recency, age
BUYERS = [
    (0, 0.0, 0.0),
    (0, 0.0, 38.86),
    (1, 0.001, 0.002),
    (2, 30.43, 38.86),
    (7, 29.43, 38.86),
    (26, 3.5, 39.0),
    (50, 39.0, 39.0),
    (1000, 900.5, 1000.25),
    (5000, 1500.0, 1500.0),
    (5000, 1490.0, 1500.0),
    (3, 1e-9, 2e-9),
]


def cases():
    return [(parameters, buyer) for parameters in PARAMETERS for buyer in BUYERS]


def expected_cases():
    for i, (parameters, buyer) in enumerate(cases()):
        yield parameters, buyer, (39.0, 1.0, 1e-6, 5000.0, 300.0)[i % 5]
    for horizon in 1e-12, 0.02, 39.0, 400.0, 1e5, 1e9:
        yield CDNOW, (0, 0.0, 0.0), horizon
        yield CDNOW, (5, 20.0, 30.0), horizon
        yield (0.75, 3.0, 0.2, 0.3), (2, 1.0, 2.0), horizon
        yield (0.5, 10.0, 1.0, 2.0), (400, 200.0, 200.5), horizon


def probability_cases():
    for i, (parameters, buyer) in enumerate(cases()):
        yield parameters, buyer, (0, 1, 3, 10, 40)[i % 5], (39.0, 3.0, 500.0)[i % 3]
    for n in 0, 1, 2, 17, 100, 1000, 5000, 100000, 10000000:
        yield CDNOW, (5, 20.0, 30.0), n, 39.0
        yield CDNOW, (5000, 1499.0, 1500.0), n, 1500.0
        yield (2.0, 5.0, 2.0, 3.0), (12, 20.0, 21.0), n, 10000.0
        yield (0.75, 3.0, 0.2, 0.3), (0, 0.0, 0.0), n, 3000.0


def discounted_cases():
    for i, (parameters, buyer) in enumerate(cases()):
        # with the middle ones every customer, with the others each third
        if i % 3 == 0 or parameters in PARAMETERS[:2]:
            yield parameters, buyer, (0.0027, 0.15 / 52, 0.1)[i // 3 % 3], (inf, 52.0, 1000.0, 1.0)[i % 4]
    for rate in 1e-12, 1e-5, 0.01, 1.0, 50.0, 1e6:
        yield CDNOW, (5, 20.0, 30.0), rate, inf
        yield CDNOW, (5, 20.0, 30.0), rate, 100.0
        yield (0.75, 3.0, 0.2, 0.3), (0, 0.0, 10.0), rate, inf
        yield (0.5, 10.0, 1.0, 1.0), (0, 0.0, 10.0), rate, inf
    yield CDNOW, (5, 20.0, 30.0), 0.0, 100.0
    # whole orders of the exponential integral, and beside them
    for r in 1.0, 2.0, 0.5, 1.5, 2.4999999999, 2.0000001, 11.75, 12.25:
        yield (r, 4.0, 0.8, 2.5), (1, 0.5, 1.0), 0.01, inf
        yield (r, 4.0, 0.8, 2.5), (0, 0.0, 1.0), 0.2, 26.0


class Alive:
    """What a customer is if he is alive: lambda ~ Gamma(s, rate), p ~ Beta(a, b)."""

    def __init__(self, model, parameters, buyer):
        r, alpha, a, b = map(mpf, parameters)
        x, _, age = map(mpf, buyer)
        self.s, self.rate, self.a = r + x, alpha + age, a
        self.b = b + x if model == 'bgnbd' else b + x + 1


def p_alive(model, parameters, buyer):
    """By the likelihoods of the history, alive and not."""
    r, alpha, a, b = map(mpf, parameters)
    x, recency, age = map(mpf, buyer)
    if model == 'bgnbd' and x == 0:
        return mpf(1)
    # the (x+1)-th purchase is the first that a customer of mbgnbd can leave after, the x-th of bgnbd
    stays = x if model == 'bgnbd' else x + 1
    alive = log_beta(a, b + stays) - (r + x) * log(alpha + age)
    gone = log_beta(a + 1, b + stays - 1) - (r + x) * log(alpha + recency)
    return 1 / (1 + exp(gone - alive))


def log_beta(a, b):
    return loggamma(a) + loggamma(b) - loggamma(a + b)


def expected(model, parameters, buyer, horizon):
    alive = Alive(model, parameters, buyer)
    with_digits = 120 + int(2 * abs(log(mpf(parameters[2])) / log(10)))
    with mp.workdps(with_digits):
        c = alive.a + alive.b
        a = alive.a
        if a == 1 or is_whole(c - 1):
            a, c = a + mpf(10) ** -40, c + mpf(10) ** -40
        u = mpf(horizon) / alive.rate
        try:
            series = exp(-alive.s * log1p(u)) * hyp2f1(alive.s, alive.b, c - 1, u / (1 + u), maxterms=30000)
            value = (c - 1) / (a - 1) * (1 - series)
        except NoConvergence:
            value = mean_over_p(alive, lambda p: -expm1(-alive.s * log1p(p * u)) / p, (alive.s + 1) * (u + 1))
    return p_alive(model, parameters, buyer) * value


def mean_over_p(alive, function, reach):
    """Where the series of 2F1 is too long: the mean as an integral over the logit of p, by trapezoids, finely.

    The function is constant where p is far below 1 / reach: there, the weights are a geometric series.
    """
    with mp.workdps(45):
        a, b = alive.a, alive.b
        middle = log(a / b)
        step = min(mpf(1) / 8, sqrt(psi(1, a) + psi(1, b)) / 5)
        total = weights = mpf(0)
        for direction in 1, -1:
            i = 0 if direction == 1 else 1
            while True:
                y = middle + direction * i * step
                p, q = 1 / (1 + exp(-y)), 1 / (1 + exp(y))
                weight = exp(a * (log(p) - log(a / (a + b))) + b * (log(q) - log(b / (a + b))))
                value = function(p)
                total += weight * value
                weights += weight
                if direction == -1 and p * (reach + b) < mpf(10) ** -34 or direction == 1 and q * (a + 1) < mpf(10) ** -34:
                    rest = weight / expm1((a if direction == -1 else b) * step)
                    total += rest * value
                    weights += rest
                    break
                if weight < 1e-32 and weight * value < total * mpf(10) ** -32:
                    break
                i += 1
    return total / weights


def is_whole(x):
    return x <= 0 and x == int(x)


@mp.workdps(120)
def probability(model, parameters, buyer, n, horizon):
    """With digits to spare where the tail is 1 minus the rest."""
    alive = Alive(model, parameters, buyer)
    s, a, b = alive.s, alive.a, alive.b
    u = mpf(horizon) / alive.rate
    z = u / (1 + u)
    certain = p_alive(model, parameters, buyer)
    if n == 0:
        return 1 - certain + certain * exp(-s * log1p(u))
    exactly = exp(loggamma(s + n) - loggamma(s) - loggamma(n + 1) + n * log(z) - s * log1p(u))
    if n > s * u and (n > 200 or u < 100):
        tail = term = exactly
        k = n
        while term > tail * mpf(10) ** -35:
            term *= (s + k) / (k + 1) * z
            tail += term
            k += 1
    else:
        term = exp(-s * log1p(u))
        tail = 1 - term
        for k in range(n - 1):
            term *= (s + k) / (k + 1) * z
            tail -= term
    stay = exp(log_beta(a, b + n) - log_beta(a, b))
    leave = exp(log_beta(a + 1, b + n - 1) - log_beta(a, b))
    return certain * (exactly * stay + tail * leave)


def discounted(model, parameters, buyer, rate, horizon):
    """With t = rate_of_model expm1(w), over pieces of w that grow from 1 / s."""
    alive = Alive(model, parameters, buyer)
    d = mpf(rate)
    if alive.s >= 50 and d > 0:
        return p_alive(model, parameters, buyer) * discounted_over_p(alive, d, horizon)

    def purchases(w):
        grown = expm1(w)
        return exp(-d * alive.rate * grown + w) * hyp2f1(alive.s + 1, alive.a, alive.a + alive.b, -grown, maxterms=10 ** 6)

    with mp.workdps(32):
        end = log1p(mpf(horizon) / alive.rate) if horizon != inf else inf
        if d > 0:
            end = min(end, log1p(90 / (d * alive.rate)))
        points = [mpf(0)]
        step = min(1 / (1 + alive.s), 1 / (1 + d * alive.rate))
        while points[-1] < end:
            points.append(min(points[-1] + step, end))
            step = min(2 * step, mpf(3) / 2)
        try:
            value = alive.s * sum(quad(purchases, points[i:i + 2], method='gauss-legendre', maxdegree=5)
                                  for i in range(len(points) - 1))
        except ValueError:
            # mpmath gives up on some of 2F1
            value = discounted_over_p(alive, d, horizon)
    return p_alive(model, parameters, buyer) * value


def discounted_over_p(alive, d, horizon):
    """For many purchases, where the series of 2F1 is long: s / p times the exponential integral of order s + 1, over p."""

    def purchases(p):
        with mp.workdps(80):
            zeta = d * alive.rate / p
            value = exponential_integral(alive.s + 1, zeta)
            if horizon != inf:
                growth = 1 + p * mpf(horizon) / alive.rate
                value -= exp(zeta - zeta * growth) * growth ** -alive.s * exponential_integral(alive.s + 1, zeta * growth)
            return alive.s / p * value

    return mean_over_p(alive, purchases, (alive.s + 1) / (alive.rate * d) + 1)


def exponential_integral(order, z):
    """e^z E_order(z), for a high order by Abramowitz and Stegun 5.1.22 from the end, which is doubled until nothing changes."""
    if order < 50:
        return exp(z) * expint(order, z)
    last, terms = None, 64
    while True:
        value = z
        for k in range(terms, 0, -1):
            value = z + (order + k - 1) / (1 + k / value)
        value = 1 / value
        if last is not None and abs(value - last) < abs(value) * mpf(10) ** (3 - mp.dps):
            return value
        last, terms = value, 2 * terms


def write(function, model, parameters, buyer, extra, value):
    print(function, model, ','.join(map(repr, parameters)), buyer[0], repr(buyer[1]), repr(buyer[2]),
          ','.join('infinity' if x == inf else repr(x) for x in extra) or '-', nstr(value, 22, strip_zeros=False))
    sys.stdout.flush()


if __name__ == '__main__':
    main()
