#!/bin/sh
# The main job on the built-in miniature: write it, check it, run trackers, score them.
# usage: demo.sh BENCH JOBS
set -eu
bench=$1 jobs=$2
data=data/mini results=results/mini

test -f "$data/.complete" || { "$bench" mini "$data" --jobs "$jobs" && touch "$data/.complete"; }
for benchmark in otb2015 uav123 vot2016 vot2018 lasot trackingnet; do
    for tracker in static kcf opencv-mil siamattn-lite; do
        "$bench" run "$benchmark" --tracker "$tracker" --data "$data" --results "$results" --jobs "$jobs"
    done
    "$bench" eval "$benchmark" --data "$data" --results "$results" --json "reports/mini/$benchmark.json"
done
"$bench" eval otb2015 --data "$data" --results "$results" --convention all
"$bench" eval vot2018 --data "$data" --results "$results" --per-attribute --ranks
"$bench" report --data "$data" --results "$results" --out reports/mini/report --videos all
echo
echo "Everything above was computed on generated video (the miniature), not on the benchmarks."
echo "Raw results: $results   Scores: reports/mini"
echo "A video:     $bench video otb2015 Crossing --data $data --results $results --out reports/mini/crossing.mp4"
echo "The report:  reports/mini/report/index.html"
