#!/usr/bin/env python3
# What the Pareto/NBD model says about single customers, to 22 digits: buyers_paretonbd.txt
# (read by test/t/052_buyers.pl).
#
#   test/reference/buyers_paretonbd.py > test/reference/buyers_paretonbd.txt
#
# It needs mpmath and takes two minutes. Each figure is an integral over the time at which the
# customer leaves, as the model defines it: no substitution, no closed form. mpmath
# integrates from one breakpoint to the next at 45 digits and says how far it is off.
import sys
from mpmath import mp, mpf, inf, nstr

mp.dps = 45
PRECISION = mpf(10) ** -26

MODELS = [
    (0.5533, 10.578, 0.6062, 11.669),       # CDNOW, weeks
    (1.2, 30.0, 1.0, 50.0),                 # s = 1
    (0.25, 4.0, 0.6, 7721.0),
    (0.8, 12.0, 1.7, 12.0),                 # alpha = beta
    (0.05, 0.001, 0.3, 10000.0),
    (5.0, 1e6, 2.5, 0.0001),
    (1.0, 7.0, 1.000000001, 3.0),
    (0.02, 3.5, 0.01, 2.25),
    (200.0, 1000.0, 50.0, 800.0),
    (3.0, 1e8, 2.0, 1e8),
]

BUYERS = [
    (0, 0.0, 0.0), (0, 0.0, 1e-6), (0, 0.0, 38.86), (0, 0.0, 5000.0),
    (1, 0.0, 10.0), (1, 1e-9, 1e-9), (2, 30.43, 38.86), (5, 39.0, 39.0), (7, 3.0, 1000.0),
    (20, 10.0, 39.0), (100, 0.001, 0.002), (300, 38.5, 39.0), (1000, 364.0, 365.0),
    (5000, 364.0, 364.0), (5000, 360.0, 364.0), (5000, 100.0, 364.0), (5000, 1700.5, 1701.0),
]

HORIZONS = [1e-6, 1.0, 39.0, 5000.0]
NUMBERS = [0, 1, 5, 100, 5000]
RATES = [1e-12, 1e-6, 0.0027, 0.15, 10.0, 10000.0]


# The integral of a function over [0, end], which varies on scales from this one upwards.
def integral(function, scale, end, around=()):
    points = [mpf(0)]
    at = scale
    while at < end:
        points.append(at)
        at *= 4
    points += [p for p in around if 0 < p < end]
    points = sorted(set(points)) + [end]
    # quad() looks at absolute errors
    unit = max(function(p) for p in points[1:])
    parts = [mp.quad(lambda u: function(u) / unit, [a, b], error=True, maxdegree=10) for a, b in zip(points, points[1:])]
    total = sum(part for part, error in parts)
    off = sum(error for part, error in parts)
    if off > PRECISION * total:
        sys.exit("not precise: %s of %s" % (nstr(off), nstr(total)))
    return total * unit


def odds_of_death(model, buyer):
    r, alpha, s, beta = model
    x, recency, age = buyer
    if recency == age:
        return mpf(0)

    def density(since):
        tau = recency + since
        return s * ((alpha + age) / (alpha + tau)) ** (r + x) * ((beta + age) / (beta + tau)) ** s / (beta + tau)
    scale = min(alpha + recency, beta + recency) / (r + x + s + 1)
    return integral(density, scale, age - recency)


def p_alive(model, buyer):
    return 1 / (1 + odds_of_death(model, buyer))


# Expected purchases within the horizon, each times exp(-rate * time).
def discounted_purchases(model, buyer, rate, horizon):
    r, alpha, s, beta = model
    x, recency, age = buyer
    end = min(horizon, 110 / rate) if rate > 0 else horizon
    still = integral(lambda u: mp.exp(-rate * u) * ((beta + age) / (beta + age + u)) ** s,
                     min((beta + age) / (s + 1), 1 / rate if rate > 0 else inf), end)
    return p_alive(model, buyer) * (r + x) / (alpha + age) * still


def expected_purchases(model, buyer, horizon):
    return discounted_purchases(model, buyer, mpf(0), horizon)


def purchase_probability(model, buyer, n, horizon):
    r, alpha, s, beta = model
    x, recency, age = buyer
    shape = r + x
    a = alpha + age
    b = beta + age
    ways = mp.gamma(shape + n) / (mp.gamma(shape) * mp.factorial(n))

    def buys_in(u):
        return ways * (a / (a + u)) ** shape * (u / (a + u)) ** n

    # its top, if it has one, and the end, towards which it may rise steeply
    around = [at * mp.exp(-k) for at, width in ((n * a / shape, 1 / mp.sqrt(n)), (horizon, 1 / mpf(n)))
              for k in [sign * 3 ** i * width for sign in (-1, 1) for i in range(8)]] if n > 0 else []
    leaves = integral(lambda u: s / (b + u) * (b / (b + u)) ** s * buys_in(u), min(a, b) / (shape + n + s + 1), horizon,
                      around)
    stays = (b / (b + horizon)) ** s * buys_in(horizon)
    odds = odds_of_death(model, buyer)
    return (stays + leaves) / (1 + odds) + (odds / (1 + odds) if n == 0 else 0)


def main():
    print("# Made by buyers_paretonbd.py")
    number = 0
    for floats in MODELS:
        model = tuple(mpf(p) for p in floats)
        for frequency, recency, age in BUYERS:
            buyer = (frequency, mpf(recency), mpf(age))

            def line(function, extra, value):
                print(function, "paretonbd", ",".join(repr(p) for p in floats), frequency, repr(recency), repr(age),
                      ",".join(extra) or "-", nstr(value, 22, min_fixed=-5, max_fixed=8), flush=True)

            line("p_alive", [], p_alive(model, buyer))
            # a few of all combinations, others for each customer
            for i in range(2):
                number += 1
                horizon = HORIZONS[number % 4]
                line("expected_purchases", [repr(horizon)], expected_purchases(model, buyer, mpf(horizon)))
                rate = RATES[number * 5 % 6]
                horizon = [inf, 52.0, 1e-3][number // 2 % 3]
                line("discounted_purchases", [repr(rate), "infinity" if horizon == inf else repr(horizon)],
                     discounted_purchases(model, buyer, mpf(rate), mpf(horizon)))
            for i in range(3):
                number += 1
                n = NUMBERS[(number + i) % 5]
                horizon = HORIZONS[(number // 3 + i) % 4]
                line("purchase_probability", ["%d" % n, repr(horizon)], purchase_probability(model, buyer, n, mpf(horizon)))


main()
