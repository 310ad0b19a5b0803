# Jobs of every kind, in an instance of four brokers: flux start -s4 bash job-scenario.sh
set -e
done_jobs=
submit() {
  id=$(flux "$@")
  done_jobs="$done_jobs $id"
}
submit submit --job-name=hello -N1 true
submit submit -n2 --job-name=failing sh -c 'exit 3'
submit submit --job-name=signaled sh -c 'kill -9 $$'
submit submit --job-name=terminated sh -c 'kill -15 $$'
submit submit --job-name=no-such /nonexistent/command
submit submit --job-name=not-executable /etc/passwd
submit submit -N4 -n8 --job-name=a-rather-long-name-of-many-nodes \
  --setattr=system.project=climate --setattr=system.bank=physics hostname
submit batch -N1 --output=none --job-name=batch.sh --wrap sleep 0.2
submit submit -t 0.5s --job-name=slow sleep 30
submit submit --job-name=ünïcødé-näme-日本 true
submit submit --job-name='it is "quoted"' --urgency=20 true
submit submit --job-name=10 -n1 -c2 true
submit submit --job-name=memo sh -c 'flux job memo $FLUX_JOB_ID note="hello world" n=3 x.y=1.5 list="[1,\"a\",null]" ok=true; sleep 0.1'

submit submit --job-name=canceled sleep 100
flux cancel --message='no longer wanted' $id
submit submit --job-name=raised sleep 100
flux job raise --type=custom --severity=0 --message='it broke' $id
submit submit --urgency=hold --job-name=never-ran true
flux cancel $id
for id in $done_jobs; do flux job wait-event -t 60 $id clean >/dev/null; done

# From here on there are queues.
flux config load <<END
[queues.batch]
[queues.debug]
[policy.jobspec.defaults.system]
queue = "batch"
END
flux queue start --all --quiet
submit submit -q debug --job-name=debugged --env-remove='*' true
flux job wait-event -t 60 $id clean >/dev/null

running=$(flux submit -n1 -t 2h --job-name=running sleep inf)
flux job wait-event -t 60 $running start >/dev/null
instance=$(flux batch -n1 --output=none --job-name=instance --wrap sleep inf)
flux job wait-event -t 60 $instance memo >/dev/null
flux submit --urgency=hold --job-name=held true >/dev/null
flux submit --dependency=afterok:$running --job-name=dependent true >/dev/null
flux submit --begin-time='2036-11-24 18:30:07' --job-name=later true >/dev/null
flux submit -N4 --exclusive -t 90m --job-name=waiting --urgency=31 true >/dev/null
flux submit -q debug -N4 --exclusive -t 90s --job-name=waiting-too true >/dev/null
# Nothing changes any more.
flux job wait-event -t 60 $(flux job last) priority >/dev/null
