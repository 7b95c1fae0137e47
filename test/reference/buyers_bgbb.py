# Reference values of BG/BB, sBG and Gamma-Gamma for test/t/052_buyers.pl and
# test/t/053_retention_curves.pl, with 30 digits.
#
#	python3 test/reference/buyers_bgbb.py >test/reference/buyers_bgbb.txt
#	python3 test/reference/buyers_bgbb.py --curves >test/reference/retention_curves.txt
#
# It needs mpmath, and a minute each. Everything is computed from the definition: a customer
# lost after t opportunities is one case, his purchases are another, and all cases are
# added up, with beta functions for what p and theta do to each. Nothing is taken from
# the C code: there the recurrences of histories run backward from 1, and long sums are
# integrals over theta; here sums run forward from gamma functions, and infinite ones that do
# not end soon are hypergeometric functions.
import random
import sys

from mpmath import mp, mpf

mp.dps = 50
random.seed(5)

INFINITE = float("inf")


def log_beta(a, b):
    return mp.loggamma(a) + mp.loggamma(b) - mp.loggamma(a + b)


# The probabilities, over p and theta, of x purchases in a certain order among t
# opportunities and to be lost at the next; and to be alive after n.
def lost_after(model, x, t):
    alpha, beta, gamma, delta = model
    return mp.exp(log_beta(alpha + x, beta + (t - x)) - log_beta(alpha, beta) + log_beta(gamma + 1, delta + t) - log_beta(gamma, delta))


def alive_after(model, x, n):
    alpha, beta, gamma, delta = model
    return mp.exp(log_beta(alpha + x, beta + (n - x)) - log_beta(alpha, beta) + log_beta(gamma, delta + n) - log_beta(gamma, delta))


# The sum of lost_after over t in a range, forward from the first term.
def lost_between(model, x, first, last):
    alpha, beta, gamma, delta = model
    if first > last:
        return mpf(0)
    term = lost_after(model, x, first)
    total = mpf(0)
    for t in range(first, last + 1):
        total += term
        term *= (beta + (t - x)) * (delta + t) / ((alpha + beta + t) * (gamma + delta + 1 + t))
    return total


def likelihood(model, x, tx, n):
    return alive_after(model, x, n) + lost_between(model, x, tx, n - 1)


# That the customer is alive after so many opportunities more.
def alive_ahead(model, x, tx, n, ahead):
    alpha, beta, gamma, delta = model
    kept = mp.exp(log_beta(alpha + x, beta + (n - x)) - log_beta(alpha, beta) + log_beta(gamma, delta + n + ahead) - log_beta(gamma, delta))
    return kept / likelihood(model, x, tx, n)


def p_alive(model, x, tx, n):
    return alive_ahead(model, x, tx, n, 1)


# The sum of S(m) / (1 + rate)^m over m = 1 ... periods for theta ~ Beta(a, b).
def discounted_periods(a, b, periods, rate):
    v = 1 / (1 + rate)
    if periods != INFINITE and periods <= 20000:
        total = mpf(0)
        term = mpf(1)
        for m in range(1, int(periods) + 1):
            term *= v * (b + (m - 1)) / (a + b + (m - 1))
            total += term
        return total
    if periods == INFINITE:
        if rate == 0:
            return b / (a - 1) if a > 1 else mpf("inf")
        return infinite_periods(a, b, rate)
    periods = mpf(periods)
    if rate == 0:
        with mp.workdps(90):
            a = a + mpf("1e-40") if a == 1 else a
            beyond = mp.exp(log_beta(a, b + periods) - log_beta(a, b)) * (b + periods)
            return (b - beyond) / (a - 1)
    beyond = mp.exp(log_beta(a, b + periods) - log_beta(a, b) - periods * mp.log1p(rate))
    with mp.workdps(90):
        return infinite_periods(a, b, rate) - beyond * infinite_periods(a, b + periods, rate)


def infinite_periods(a, b, rate):
    total = mpf(0)
    term = mpf(1)
    for m in range(1, 20000):
        term *= (b + (m - 1)) / ((a + b + (m - 1)) * (1 + rate))
        total += term
        # what follows is not more than a geometric series, nor than the closed sum without a rate
        if min(term / rate, term * (b + m) / (a - 1) if a > 1 else mp.inf) < total * mpf(10) ** -40:
            return total
    # a and rate must not vanish beside 1
    with mp.workdps(mp.dps + 40 + 2 * max(0, int(-mp.log10(rate)), int(-mp.log10(a)))):
        return b / ((a + b) * (1 + rate)) * mp.hyp2f1(1, b + 1, a + b + 1, 1 / (1 + rate))


def expected_purchases(model, x, tx, n, horizon):
    return discounted_purchases(model, x, tx, n, 0, horizon)


def discounted_purchases(model, x, tx, n, rate, horizon):
    alpha, beta, gamma, delta = model
    return (alpha + x) / (alpha + beta + n) * alive_ahead(model, x, tx, n, 0) * discounted_periods(gamma, delta + n, horizon, mpf(rate))


# By the number j of the opportunities ahead after which he is lost.
def purchase_probability(model, x, tx, n, count, horizon):
    alpha, beta, gamma, delta = model
    then = (alpha + x, beta + (n - x), gamma, delta + n)
    alive = alive_ahead(model, x, tx, n, 0)
    total = lost_between(model, x, tx, n - 1) / likelihood(model, x, tx, n) if count == 0 else mpf(0)
    ways = mpf(1)
    for j in range(count, horizon + 1):
        if j < horizon:
            total += alive * ways * lost_after(then, count, j)
        else:
            total += alive * ways * alive_after(then, count, j)
        ways = ways * (j + 1) / (j + 1 - count)
    return total


def retention_rate(a, b, period):
    return (b + (period - 1)) / (a + b + (period - 1))


def survival_rate(a, b, period):
    return mp.exp(log_beta(a, b + period) - log_beta(a, b))


# Payments from now on, number periods + 1 being the first, of a customer who made that many.
def discounted_lifetime(a, b, rate, periods, horizon):
    if periods == 0:
        return 1 + discounted_periods(a, b, horizon - 1, rate)
    return retention_rate(a, b, periods) * (1 + discounted_periods(a, b + periods, horizon - 1, rate))


def expected_value(p, q, v, x, m):
    return p * (v + x * m) / (p * x + q - 1) if p * x + q > 1 else mpf("inf")


def text(value):
    return "infinity" if value == mp.inf else mp.nstr(mpf(value), 22)


def number(value):
    return "infinity" if value == INFINITE else repr(value)


def line(function, model, parameters, x, tx, n, extra, value):
    extra = ",".join(number(e) for e in extra) if extra else "-"
    print(function, model, ",".join(repr(p) for p in parameters), x, number(tx), number(n), extra, text(value))


MODELS = [
    (1.204, 0.750, 0.657, 2.783), (1.0, 1.0, 1.0, 1.0), (1.0, 2.5, 1.0, 3.0), (0.3, 0.4, 0.2, 0.5), (2.0, 1.0, 2.0, 1.0),
    (1e-5, 1e-5, 1e-5, 1e-5), (1e-5, 2.0, 0.5, 1e-5), (1e-300, 1.0, 1.0, 1.0), (1.0, 1e-300, 1e-200, 1e-200), (3e6, 1e6, 5e5, 7e6), (1e10, 1e8, 1e9, 1e11),
    (3e6, 2.0, 1.5, 1e6), (0.5, 3e6, 3e6, 0.1), (0.7, 1.2, 1e-3, 40.0), (0.7, 1.2, 1.0000000001, 40.0), (1e15, 1e15, 1e15, 1e16), (5.0, 100.0, 30.0, 3000.0),
]
HISTORIES = [(0, 0, 0), (0, 0, 1), (1, 1, 1), (0, 0, 6), (1, 4, 6), (3, 5, 6), (6, 6, 6), (2, 2, 40), (20, 37, 40)]
LONG = [(0, 0, 5000), (5000, 5000, 5000), (1, 5000, 5000), (2500, 4000, 5000), (3, 3, 5000), (1000, 1000, 2000), (40, 900, 1000)]


def exact(values):
    return tuple(mpf(v) for v in values)


def buyers():
    print("# Made by buyers_bgbb.py")
    for parameters in MODELS:
        model = exact(parameters)
        for history in random.sample(HISTORIES, 4):
            case = history[0], float(history[1]), float(history[2])
            line("p_alive", "bgbb", parameters, *case, (), p_alive(model, *history))
            for horizon in (1, 5, 100):
                line("expected_purchases", "bgbb", parameters, *case, (float(horizon),), expected_purchases(model, *history, horizon))
            for count, horizon in ((0, 1), (0, 5), (2, 5), (5, 5), (30, 60), (6, 5)):
                line("purchase_probability", "bgbb", parameters, *case, (count, float(horizon)), purchase_probability(model, *history, count, horizon))
            for rate, horizon in ((0.1, 5), (0.1, INFINITE), (0.003, 100)):
                line("discounted_purchases", "bgbb", parameters, *case, (rate, float(horizon)), discounted_purchases(model, *history, rate, horizon))
        for history in random.sample(LONG, 2):
            case = history[0], float(history[1]), float(history[2])
            line("p_alive", "bgbb", parameters, *case, (), p_alive(model, *history))
        history = random.choice(HISTORIES + LONG)
        case = history[0], float(history[1]), float(history[2])
        for horizon in (0.0, 1999.0, 2000.0, 2001.0, 5000.0):
            line("expected_purchases", "bgbb", parameters, *case, (horizon,), expected_purchases(model, *history, horizon))
        for rate in (3.0, 0.01, 1e-4, 1e-7, 1e-12, 1e-30):
            line("discounted_purchases", "bgbb", parameters, *case, (rate, INFINITE), discounted_purchases(model, *history, rate, INFINITE))
            line("discounted_purchases", "bgbb", parameters, *case, (rate, 3000.0), discounted_purchases(model, *history, rate, 3000.0))
        for count in (0, 1, 700, 1999, 2000):
            line("purchase_probability", "bgbb", parameters, *case, (count, 2000.0), purchase_probability(model, *history, count, 2000))
    for history in LONG:
        parameters = MODELS[0]
        model = exact(parameters)
        case = history[0], float(history[1]), float(history[2])
        line("p_alive", "bgbb", parameters, *case, (), p_alive(model, *history))


# expected_value has frequency and the mean value in their places; the others, of sbg, have
# them in extra.
def curves():
    print("# Made by buyers_bgbb.py --curves")
    pairs = [(0.668, 3.806), (0.704, 1.182), (1.0, 1.0), (1e-5, 1e-5), (1e-5, 2.0), (2.0, 1e-5), (1.0000000001, 3.0), (1e8, 1e8), (1e6, 3.0), (3.0, 1e6), (1e15, 1e16), (0.2, 1e5), (1e-200, 1e-200)]
    for parameters in pairs:
        a, b = exact(parameters)
        for period in (0, 1, 2, 8, 1000, 2001, 100001, 2147483647):
            line("survival_rate", "sbg", parameters, 0, 0.0, 0.0, (period,), survival_rate(a, b, period))
        for period in (1, 2, 8, 2147483647):
            line("retention_rate", "sbg", parameters, 0, 0.0, 0.0, (period,), retention_rate(a, b, period))
        for periods in (0, 1, 7, 5000):
            for rate in (0.0, 1e-9, 0.1, 2.0):
                for horizon in (1.0, 2.0, 60.0, 30000.0, INFINITE):
                    line("discounted_lifetime", "sbg", parameters, 0, 0.0, 0.0, (rate, periods, horizon), discounted_lifetime(a, b, mpf(rate), periods, horizon))
    triples = [(6.25, 3.74, 15.44), (1.0, 1.0, 1.0), (0.5, 0.3, 10.0), (1e-3, 2.0, 1e-3), (1e6, 1.0000000001, 1e5), (1e-6, 0.999999, 3.0), (1.000000000001, 1e-12, 5.0), (1e200, 1e200, 1e10), (3.0, 1e9, 1e11)]
    for parameters in triples:
        for x, m in ((0, 0.0), (1, 0.01), (1, 1e300), (3, 35.5), (5000, 12.34), (2147483647, 1e-3)):
            line("expected_value", "gamma_gamma", parameters, x, m, 0.0, (), expected_value(*exact(parameters), mpf(x), mpf(m)))


curves() if "--curves" in sys.argv else buyers()
