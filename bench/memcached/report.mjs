// SPDX-License-Identifier: BSD-3-Clause
// Makes HdrHistograms of what elisa-memload measured.
//
//	report.mjs KIND FOLDER LABEL=FILE...	KIND: native, emulated, hardware or modelled
//
// FILE is elisa-memload's output. Leaves in FOLDER: latency.json (for each label and rate: counts,
// errors, the histogram in HdrHistogram's compressed base64), and, where times mean something,
// percentiles in it, LABEL-RATE.hgrm and latency.tsv, which plot.gp draws. Prints a table.
// Emulated times mean nothing: none is written or printed then.
import { createRequire } from "node:module";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const hdr = createRequire(join(root, "build", "npm", "/"))("hdr-histogram-js");
const PERCENTILES = { p50: 50, p99: 99, p99_9: 99.9, max: 100 };
const KINDS = ["native", "emulated", "hardware", "modelled"];

function histogramOf(step) {
	const histogram = hdr.build({ bitBucketSize: 64, numberOfSignificantValueDigits: 3 });
	for (const [microseconds, count] of step.latencies_us)
		histogram.recordValueWithCount(Math.max(microseconds, 1), count);
	return histogram;
}

function figuresOf(kind, folder, label, settings, step) {
	const histogram = histogramOf(step);
	const { rate, sent, stored, hits, misses, bytes_out, bytes_in, errors } = step;
	const figures = {
		label, rate, sent, stored, hits, misses, bytes_out, bytes_in, errors,
		latencies: histogram.totalCount,
		histogram_us: hdr.encodeIntoCompressedBase64(histogram),
	};
	if (kind === "emulated")
		return figures;
	const seconds = Math.max(settings.duration_s, step.measured_s);
	figures.requests_per_s = Math.round(histogram.totalCount / seconds);
	for (const [name, percentile] of Object.entries(PERCENTILES))
		figures[`${name}_us`] = histogram.getValueAtPercentile(percentile);
	writeFileSync(join(folder, `${label}-${rate}.hgrm`), histogram.outputPercentileDistribution());
	return figures;
}

function printTable(kind, rows) {
	const columns = ["label", "rate", "sent", "hits", "misses", "errors", "latencies"];
	if (kind !== "emulated")
		columns.push("requests_per_s", ...Object.keys(PERCENTILES).map((name) => `${name}_us`));
	console.log(`memcached, ${kind}${kind === "emulated" ? ": times mean nothing" : ""}`);
	for (const row of [Object.fromEntries(columns.map((name) => [name, name])), ...rows])
		console.log(columns.map((name) => cell(row[name]).padStart(15)).join(""));
}

function cell(value) {
	return typeof value === "object" ? String(sum(value)) : String(value);
}

function sum(errors) {
	return Object.values(errors).reduce((all, one) => all + one, 0);
}

function plotData(rows) {
	const line = (row) => [row.label, row.requests_per_s, row.p50_us, row.p99_us, row.p99_9_us].join("\t");
	const labels = [...new Set(rows.map((row) => row.label))];
	// gnuplot's data sets: two empty lines between them.
	return labels.map((label) => rows.filter((row) => row.label === label).map(line).join("\n"))
		.join("\n\n\n") + "\n";
}

function main([kind, folder, ...inputs]) {
	if (!KINDS.includes(kind) || !inputs.length || inputs.some((input) => !input.includes("="))) {
		console.error("usage: report.mjs native|emulated|hardware|modelled FOLDER LABEL=FILE...");
		return 2;
	}
	mkdirSync(folder, { recursive: true });
	const rows = [];
	let failed = 0;
	for (const input of inputs) {
		const [label, file] = [input.slice(0, input.indexOf("=")), input.slice(input.indexOf("=") + 1)];
		const { settings, fill, steps } = JSON.parse(readFileSync(file, "utf8"));
		failed += sum(fill.errors);
		for (const step of steps)
			rows.push({ ...figuresOf(kind, folder, label, settings, step), settings });
	}
	failed += rows.reduce((all, row) => all + sum(row.errors), 0);
	writeFileSync(join(folder, "latency.json"), JSON.stringify({ kind, errors: failed, steps: rows }, null, 1) + "\n");
	if (kind !== "emulated")
		writeFileSync(join(folder, "latency.tsv"), plotData(rows));
	printTable(kind, rows);
	return failed ? 1 : 0;
}

process.exitCode = main(process.argv.slice(2));
