// Makes window_funnel.txt: random cases of ClickHouse's windowFunnel with its answers.
//
//	npm install chdb@3.4.0		(ClickHouse within a process; not needed for the tests)
//	node window_funnel.js [SEED [CASES]] >window_funnel.txt
//
// Rows go to ClickHouse in order of time and conditions, and once more in reverse: its
// answer depends on the order under strict_once with strict_deduplication only, which is
// checked here.
'use strict';
const { query } = require('chdb');
const { version } = require('chdb/package.json');

const seed = Number(process.argv[2] || 1);
const caseCount = Number(process.argv[3] || 2000);
const longWindow = 1000000;

const combinations = [];
for (const order of [[], ['strict_order'], ['strict_order', 'allow_reentry']])
	for (const once of [[], ['strict_once']])
		for (const increase of [[], ['strict_increase']])
			for (const deduplication of [[], ['strict_deduplication']])
				combinations.push([...deduplication, ...order, ...increase, ...once]);

let randomState = seed >>> 0;
main();

function main()
{
	const cases = [];
	for (let i = 0; i < caseCount; i++)
		cases.push(makeCase(combinations[i % combinations.length]));
	ask(cases, 'answer', rows => rows);
	ask(cases, 'reversed', rows => [...rows].reverse());
	const differing = cases.filter(c => c.answer !== c.reversed);
	for (const c of differing)
		if (!c.modes.includes('strict_once') || !c.modes.includes('strict_deduplication'))
			throw new Error('the answer depends on the order of rows: ' + caseText(c));

	console.log(`# Answers of ClickHouse's windowFunnel, made by window_funnel.js:
# chdb ${version} (ClickHouse ${query('SELECT version()', 'TSV').trim()}), seed ${seed}, ${caseCount} cases.
# A line: window; modes; number of conditions; rows as time:conditions, the first condition being
# bit 0; answer. Rows are in the order in which ClickHouse got them. It has another answer for
# the reverse order in ${differing.length} cases, all with strict_once and strict_deduplication.`);
	for (const c of cases)
		console.log(caseText(c));
}

function caseText(c)
{
	const rows = c.rows.map(row => row.join(':')).join(' ');
	return [c.within, c.modes.join(','), c.stepCount, rows, c.answer].join(';');
}

// Many ties, many rows with several conditions, and windows that end at a row's time.
function makeCase(modes)
{
	const stepCount = 2 + below(5);
	const rowCount = 1 + below(12);
	const timeCount = pick([1, 3, 6, 12, 40]);
	const density = pick([0, 0.15, 0.4]);
	const unmatched = pick([0, 0, 0.05, 0.2]);
	const walks = random() < 0.7;
	const rows = [];
	for (let i = 0; i < rowCount; i++)
	{
		let time = below(timeCount);
		let steps = 0;
		if (random() >= unmatched)
		{
			let step = below(stepCount);
			// towards a chain that gets far
			if (walks && random() < 0.8)
			{
				time = Math.floor(timeCount * i / rowCount);
				step = Math.floor(i * (stepCount + 1) / rowCount) % stepCount;
			}
			steps = 1 << step;
			for (let j = 0; j < stepCount; j++)
				if (random() < density)
					steps |= 1 << j;
		}
		rows.push([time, steps]);
	}
	rows.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
	const between = Math.abs(rows[below(rowCount)][0] - rows[below(rowCount)][0]);
	const within = pick([0, between, between, Math.max(between - 1, 0), timeCount, longWindow]);
	return { modes, stepCount, rows, within };
}

// One query for each window, modes and number of conditions.
function ask(cases, field, arrange)
{
	const queries = new Map();
	for (const [i, c] of cases.entries())
	{
		const options = [c.within, ...c.modes.map(mode => `'${mode}'`)].join(', ');
		const conditions = Array.from({ length: c.stepCount }, (_, j) => `bitTest(steps, ${j})`).join(', ');
		const select = `SELECT number, windowFunnel(${options})(at, ${conditions})`;
		if (!queries.has(select))
			queries.set(select, []);
		for (const [at, steps] of arrange(c.rows))
			queries.get(select).push(`(${i},${at},${steps})`);
	}
	for (const [select, rows] of queries)
	{
		const answers = query(`${select} FROM values('number UInt32, at UInt64, steps UInt64', ${rows.join(',')})
			GROUP BY number SETTINGS max_threads = 1`, 'TSV');
		for (const line of answers.trim().split('\n'))
		{
			const [number, answer] = line.split('\t').map(Number);
			cases[number][field] = answer;
		}
	}
}

function pick(choices)
{
	return choices[below(choices.length)];
}

function below(limit)
{
	return Math.floor(random() * limit);
}

// A linear congruential generator (Numerical Recipes' constants), its high bits.
function random()
{
	randomState = (Math.imul(randomState, 1664525) + 1013904223) >>> 0;
	return (randomState >>> 4) / 2 ** 28;
}
