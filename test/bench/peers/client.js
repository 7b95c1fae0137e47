// Runs SQL in ClickHouse (chdb) or DuckDB, each inside this process with one thread:
//
//   node client.js FOLDER clickhouse|duckdb DATA
//
// FOLDER has node_modules, DATA is where the tables go. One line of input is one statement. One line of output is
// its wall-clock time and the processor time of the whole process, both in ms, and its rows: columns
// separated by |, rows by ;
'use strict';

const path = require('path');
const readline = require('readline');
const [folder, system, data] = process.argv.slice(2);

function load(name) {
	return require(path.join(folder, 'node_modules', name));
}

const connect = {
	async clickhouse() {
		const session = new (load('chdb').Session)(data);
		session.query('SET max_threads = 1');
		return async (sql) => session.query(sql, 'TSV').trim().replace(/\t/g, '|').replace(/\n/g, ';');
	},
	async duckdb() {
		const instance = await load('@duckdb/node-api').DuckDBInstance.create(data, { threads: '1' });
		const connection = await instance.connect();
		return async (sql) => (await connection.runAndReadAll(sql)).getRows().map((row) => row.join('|')).join(';');
	},
};

async function main() {
	const run = await connect[system]();
	for await (const sql of readline.createInterface({ input: process.stdin })) {
		const cpu = process.cpuUsage();
		const start = process.hrtime.bigint();
		const rows = await run(sql);
		const wall = Number(process.hrtime.bigint() - start) / 1e6;
		const used = process.cpuUsage(cpu);
		process.stdout.write(`${wall}\t${(used.user + used.system) / 1e3}\t${rows}\n`);
	}
	process.exit(0);
}

main().catch((error) => {
	process.stderr.write(`${system}: ${error.message}\n`);
	process.exit(1);
});
