# engagement: the PostgreSQL extension for customer journeys.
#
#   make && sudo make install     build and install for the PostgreSQL of PG_CONFIG
#   make demo                     the main job on a private cluster (see README.md)
#   make test                     all tests on a private cluster
#   make installcheck             the regression tests against a running server

EXTENSION = engagement
EXTVERSION = 0.4

# The concepts, floor by floor, each a .c and a .sql in its room and a test
# sql/NAME.sql. This order is the order of the install script and of the tests.
CONCEPTS = \
	timeline/timeline \
	timeline/compare \
	timeline/json \
	timeline/aggregate \
	timeline/events \
	timeline/narrow \
	timeline/measure \
	timeline/visits \
	timeline/visit_number \
	value/engagement_value \
	value/decayed_score \
	funnel/funnel \
	funnel/funnel_stats \
	funnel/funnel_steps \
	funnel/window_funnel \
	funnel/stages \
	funnel/stage_activity \
	funnel/stage_metrics \
	funnel/retention \
	funnel/retention_stats \
	funnel/retention_conditions \
	funnel/flow \
	funnel/paths \
	funnel/time_between \
	attribution/journey_rule \
	attribution/journeys \
	attribution/attribution_weights \
	attribution/attribution_share \
	attribution/split_value \
	attribution/path_tools \
	attribution/conversion_paths \
	attribution/markov \
	attribution/journey_paths \
	attribution/path_counts \
	attribution/attribution \
	attribution/attribution_intervals \
	attribution/chain_order_scores \
	attribution/shapley_positions \
	attribution/attribution_report \
	clv/model \
	clv/purchase_summary \
	clv/purchase_histories \
	clv/spend_histories \
	clv/fit \
	clv/p_alive \
	clv/expected_purchases \
	clv/purchase_probability \
	clv/discounted_purchases \
	clv/expected_value \
	clv/clv \
	clv/retention_curve \
	clv/rfm \
	clv/forecast_error \
	clv/unit_economics \
	clv/value_basis \
	clv/value_by_age \
	clv/cohort_value \
	clv/discount_use

# C that shows nothing in SQL; it is tested through the concepts that use it.
LIBRARIES = \
	base/pattern \
	base/properties \
	base/iso_time \
	base/duration \
	base/calendar \
	base/set_call \
	base/log_histogram \
	base/exact_sum \
	base/json_reader \
	base/expanded_state \
	base/state_io \
	base/state_compare \
	base/normal \
	base/special \
	base/newton \
	base/quadrature \
	base/period \
	base/random_draw \
	statistics/proportion \
	timeline/codec \
	timeline/kind_table \
	timeline/dictionary \
	timeline/encoder \
	timeline/builder \
	timeline/timeline_text \
	timeline/matcher \
	timeline/goal_points \
	timeline/kind_property \
	timeline/label_text \
	value/decayed_score_io \
	funnel/funnel_rule \
	funnel/instant \
	funnel/search \
	funnel/search_ordered \
	funnel/search_any \
	funnel/search_plain \
	funnel/trace \
	funnel/funnel_stats_state \
	funnel/funnel_stats_io \
	funnel/window_funnel_count \
	funnel/stage_map \
	funnel/metric_map \
	funnel/decimal_sum \
	funnel/retention_stats_io \
	attribution/channel_names \
	attribution/path_argument \
	attribution/path_set \
	attribution/markov_counts \
	attribution/timed_credit \
	attribution/chain \
	attribution/chain_flow \
	attribution/censored_chain \
	attribution/path_credit \
	attribution/attribution_model \
	attribution/path_key \
	attribution/chain_levels \
	attribution/path_figures \
	attribution/shapley \
	attribution/conversion_paths_io \
	attribution/markov_io \
	attribution/journey \
	attribution/touch_window \
	attribution/channel_io \
	attribution/touch_list \
	attribution/path_array \
	attribution/path_collapse \
	attribution/touch_credit \
	clv/likelihood \
	clv/betageo_likelihood \
	clv/pareto_likelihood \
	clv/gamma_gamma_likelihood \
	clv/betabinomial_likelihood \
	clv/sbg_likelihood \
	clv/betageo \
	clv/betageo_integral \
	clv/pareto \
	clv/betabinomial \
	clv/gamma_gamma \
	clv/sbg \
	clv/buyer_argument \
	clv/histories \
	clv/histories_io \
	clv/model_io \
	clv/purchase_days \
	clv/cohort_value_io

MODULE_big = $(EXTENSION)
OBJS = $(addsuffix .o,$(addprefix src/,$(LIBRARIES) $(CONCEPTS)))
SCRIPT = $(EXTENSION)--$(EXTVERSION).sql
SCRIPT_PARTS = src/header.sql $(addsuffix .sql,$(addprefix src/,$(CONCEPTS)))
DATA_built = $(SCRIPT)
# Versions whose full script is committed in src/release and never changes again, and the
# scripts that lead from one to the next (0.1--0.2).
RELEASES = 0.1 0.2 0.3 0.4
UPGRADES = 0.1--0.2 0.2--0.3 0.3--0.4
DATA = $(patsubst %,src/release/$(EXTENSION)--%.sql,$(filter-out $(EXTVERSION),$(RELEASES)) $(UPGRADES))
REGRESS = install $(notdir $(CONCEPTS))
EXTRA_CLEAN = $(SCRIPT) $(OBJS:.o=.d)

# The same numbers on every machine: no fused multiply-add behind our back. This stands
# here, as PGXS makes the bitcode for the JIT without PG_CFLAGS.
PG_CPPFLAGS = -I$(srcdir)/src -MMD -MP -ffp-contract=off
PG_CFLAGS = -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Wno-missing-field-initializers $(STRICT_CFLAGS)
SHLIB_LINK = -lm

PG_CONFIG ?= pg_config
PGXS := $(shell $(PG_CONFIG) --pgxs 2>/dev/null)
ifneq ($(wildcard $(PGXS)),)
include $(PGXS)
else
# Without the server headers only the targets below work; they install what is missing.
.DEFAULT_GOAL := no-pgxs
all install installcheck clean no-pgxs:
	@test/tools/need-postgres --explain; exit 1
.PHONY: all install installcheck clean no-pgxs
endif

# As PostgreSQL does for its own inner loops.
src/attribution/censored_chain.o: CFLAGS += $(CFLAGS_UNROLL_LOOPS) $(CFLAGS_VECTORIZE)

$(SCRIPT): $(SCRIPT_PARTS) Makefile
	cat $(SCRIPT_PARTS) > $@

# Each of these brings its own server and installs what it needs (test/tools).
# Variables given to make reach the scripts: make demo CSV=visits.csv AT=clicked_at
with_cluster = @test/tools/with-cluster

demo:
	$(with_cluster) docs/demo/run

# TESTS="visits 001_install" runs only these.
test:
	$(with_cluster) test/run

# The regression tests and those TAP tests whose names start with 0.
test-short:
	$(with_cluster) test/run --short

# ROWS=10000000 for the figures of docs/performance.md, which BENCH_WRITE=1 brings up to date.
# PEERS=1 measures ClickHouse and DuckDB beside it, from npm packages in build/peers.
bench: export PEERS_FOLDER = $(if $(PEERS),$(CURDIR)/build/peers)
bench:
	@[ -z "$(PEERS)" ] || test/bench/peers/install "$(PEERS_FOLDER)"
	@POSTGRES_OPTIONS="-c shared_buffers=$$(( 256 + $${ROWS:-1000000} / 2400 ))MB" test/tools/with-cluster test/bench/run
	@if [ -n "$(BENCH_WRITE)" ]; then cp build/performance.md docs/performance.md; fi

fuzz:
	$(with_cluster) test/fuzz/run

# Builds a copy with each defect and expects the tests to find it.
test-mutants:
	@test/mutants/run

# The reference is made from the COMMENTs in src/*/*.sql.
docs: docs/reference.md

docs/reference.md: $(SCRIPT_PARTS) test/tools/make-reference
	test/tools/make-reference > $@.new && mv $@.new $@

check-docs:
	@test/tools/make-reference | diff -u docs/reference.md - || { echo "docs/reference.md is out of date: make docs"; exit 1; }

# A released install script never changes; it is committed when the version is released.
released = src/release/$(SCRIPT)
check-release: $(SCRIPT)
	@[ ! -e $(released) ] || diff -u $(released) $(SCRIPT) || { echo "$(released) differs from what is built"; exit 1; }

list-regress:
	@echo $(REGRESS)

.PHONY: demo test test-short bench fuzz test-mutants docs check-docs check-release list-regress

-include $(OBJS:.o=.d)
