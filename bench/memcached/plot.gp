# SPDX-License-Identifier: BSD-3-Clause
# Draws throughput against latency percentiles as SVG, three lines for each label.
#
#	gnuplot -c plot.gp FOLDER TITLE		reads FOLDER/latency.tsv, writes FOLDER/latency.svg
#
# report.mjs writes the data: label, requests a second, p50, p99, p99.9 in microseconds; a data set
# for each label.
set terminal svg size 900,540 background "white"
set output ARG1."/latency.svg"
data = ARG1."/latency.tsv"
stats data using 2 nooutput
set title ARG2 noenhanced
set xlabel "requests answered each second"
set ylabel "latency from the planned time, microseconds"
set logscale y
set grid
set key outside right noenhanced
label(n) = system(sprintf("awk 'BEGIN { RS = \"\\n\\n\\n\" } NR == %d { print $1; exit }' '%s'", n + 1, data))
plot for [n = 0:STATS_blocks - 1] data index n using 2:3 with linespoints lc n + 1 dt 3 pt 1 title label(n)." p50", \
     for [n = 0:STATS_blocks - 1] data index n using 2:4 with linespoints lc n + 1 dt 2 pt 2 title label(n)." p99", \
     for [n = 0:STATS_blocks - 1] data index n using 2:5 with linespoints lc n + 1 dt 1 pt 7 title label(n)." p99.9"
