# Everyday docker operations, one observation each: what came of it, without the ids and addresses that must differ.
# The host made, beforehand: /tmp/of-host/file, and a container stranger$REPETITION that was never started.
n=$REPETITION
base=$BASE app=app$n web=web$n pushed=127.0.0.1:5000/pushed/app$n

docker() { timeout 20 docker "$@"; }
op() { # a function of this name: its output, or the word failed
  if result=$("$1"); then observe "op_$1" "$result"; else observe "op_$1" failed; fi
}
state() { docker inspect -f "$1" "$2"; }

# The control: an engine of the job's own, and no other, does not know the host's container.
known=$(yes_if docker inspect -f '{{.Name}}' "stranger$n")
case $ARM:$known in
dind*:no | socket*:yes | host:yes) ;;
*) echo "the host's container is known to the job's engine: $known" >&2; exit 1 ;;
esac

cd "$(mktemp -d)"
echo job >file
began=$(date +%s)

pull() { docker pull -q "$base"; }
run() { docker run --rm "$base" echo hello; }
exit_code() { docker run --rm "$base" sh -c 'exit 7' || echo "$?"; }
stdin() { echo words | docker run -i --rm "$base" cat; }
env_and_folder() { docker run --rm -e COLOUR=red -w /opt "$base" sh -c 'echo "$COLOUR $PWD"'; }
memory_limit() {
  docker run --rm -m 64m "$base" sh -c 'cd /sys/fs/cgroup && cat memory/memory.limit_in_bytes || cat memory.max'
}
op pull
op run
op exit_code
op stdin
op env_and_folder
op memory_limit

# Images.
build() {
  printf 'FROM %s\nARG COLOUR\nCOPY file /file\nRUN echo "$COLOUR" >/colour\nCMD ["cat", "/colour", "/file"]\n' \
    "$base" >Dockerfile
  docker build -q -t "$app" --build-arg COLOUR=red . >&2 && docker run --rm "$app"
}
tag() { docker tag "$app" "$app:other" && [ "$(state '{{.Id}}' "$app")" = "$(state '{{.Id}}' "$app:other")" ] && echo same; }
save_load() {
  docker save -o saved.tar "$app" && docker rmi "$app" "$app:other" >&2 && docker load -i saved.tar && docker run --rm "$app"
}
push() {
  docker tag "$app" "$pushed" && docker push -q "$pushed" >&2 && docker rmi "$pushed" >&2 && docker run --rm "$pushed"
}
commit() {
  docker run --name "draft$n" "$base" sh -c 'echo written >/note' && docker commit "draft$n" "note$n" >&2 &&
    docker rm "draft$n" >&2 && docker run --rm "note$n" cat /note
}
op build
op tag
op save_load
op push
op commit

# One container for a while, in a network of its own, with a volume and a port.
network() { docker network create --label "job=$n" "net$n" >&2 && docker network inspect -f '{{.Driver}}' "net$n"; }
volume() {
  docker volume create --label "job=$n" "vol$n" && docker run --rm -v "vol$n:/data" "$base" sh -c 'echo kept >/data/file' &&
    docker run --rm -v "vol$n:/data" "$base" cat /data/file
}
start() {
  docker run -d --name "$web" --label "job=$n" --network "net$n" -v "vol$n:/data" -p "1808$n:80" "$base" \
    sh -c 'trap "echo stopping; exit 3" TERM; echo ready; while sleep 0.1; do :; done' >&2 &&
    state '{{.State.Status}}' "$web"
}
op network
op volume
op start

port() { docker port "$web" 80 | head -n 1; }
# Nothing listens in the container: what answers there is the engine's own proxy, and only where the port is published.
port_at_localhost() {
  if timeout 5 docker -H "tcp://127.0.0.1:1808$n" version 2>&1 | tee /dev/stderr |
    grep -qi 'cannot connect\|failed to connect'; then
    echo refused
  else
    echo reached
  fi
}
# A container by that host name asks for its own address: without a hosts file the network's name server alone knows one, and
# tells both containers'.
name_server() {
  docker run --rm --network "net$n" --hostname "$web" "$base" sh -c ': >/etc/hosts; hostname -i' >address &&
    tr ' ' '\n' <address | grep -qx "$(state '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$web")" && echo found
}
execute() { docker exec -e COLOUR=blue "$web" sh -c 'cat /data/file; echo "$COLOUR"'; }
copy() { docker cp file "$web:/copied" && docker exec "$web" cat /copied && docker cp "$web:/copied" - | tar -xOf -; }
changes() { docker diff "$web" | grep copied; }
by_label() { docker ps --filter "label=job=$n" --format '{{.Names}}'; }
# Without what carries this job's label.
strangers_listed() {
  docker ps -q >all && docker ps -q --filter "label=job=$n" >own && echo $(($(wc -l <all) - $(wc -l <own)))
}
stats() { docker stats --no-stream --format '{{.Name}}' "$web"; }
pause() { docker pause "$web" && state '{{.State.Status}}' "$web" && docker unpause "$web"; }
restart() { docker restart -t 5 "$web" && state '{{.State.Status}}' "$web"; }
rename() { docker rename "$web" "new-$web" && state '{{.Name}}' "new-$web" && docker rename "new-$web" "$web"; }
stop() { docker stop -t 5 "$web" >&2 && state '{{.State.Status}} {{.State.ExitCode}}' "$web"; }
logs() { docker logs "$web"; }
wait_for() { id=$(docker run -d "$base" sh -c 'sleep 0.3; exit 5') && docker wait "$id" && docker rm "$id" >&2; }
events() {
  docker events --since "$began" --until "$(($(date +%s) + 1))" --filter "container=$web" --filter type=container \
    --format '{{.Action}}' | grep -x 'create\|start\|pause\|unpause\|stop'
}
op port
op port_at_localhost
op name_server
op execute
op copy
op changes
op by_label
op strangers_listed
op stats
op pause
op restart
op rename
op stop
op logs
op wait_for
op events

# Files that the job has, and files that the host has.
bind_of_job() { docker run --rm -v "$PWD:/bound" "$base" cat /bound/file; }
bind_of_host() { docker run --rm -v /tmp/of-host:/bound "$base" cat /bound/file; }
op bind_of_job
op bind_of_host

# Cleaning up: containers that are not running, of which this job has one; then by label, as a reaper does it.
pruned() { docker container prune -f | grep -cx '[0-9a-f]\{64\}'; }
reaped() {
  docker create --label "job=$n" "$base" true >&2
  docker rm -f $(docker ps -aq --filter "label=job=$n") >&2
  docker network rm "net$n" && docker volume rm "vol$n" &&
    docker ps -aq --filter "label=job=$n" | wc -l
}
compose() { docker compose version >&2 && echo there || echo absent; }
op pruned
op reaped
op compose

docker rmi "$app" "$pushed" "note$n" || true
