# What every script of a claim has. Generated before it: `privileged`, FORWARD, and the variables.

# Records what was observed; the last value of a name counts.
observe() {
    printf '@observe %s %s\n' "$1" "$(printf '%s' "$2" | tr '\n\t' '  ')"
}

# Prints whether a command succeeds; what it says is evidence.
yes_if() {
    if "$@" >&2; then echo yes; else echo no; fi
}

# Starts an engine of its own in a container: name, volume of its data (- for none), options of dockerd.
# Options of `docker run` are in ENGINE_RUN, words apart.
engine() {
    engine_name=$1 engine_run=${ENGINE_RUN:-}
    [ "$2" = - ] || engine_run="$engine_run --volume $2:/var/lib/docker"
    # Only the lab has no registry.
    [ -z "$FORWARD" ] || engine_run="$engine_run --mount type=bind,source=/run/registry,target=/run/registry,readonly"
    shift 2
    # shellcheck disable=SC2086
    privileged --detach --init --name "$engine_name" --env DOCKER_HOST=unix:///run/docker.sock $engine_run \
        "$ENGINE_IMAGE" sh -c '
        for group in /sys/fs/cgroup /sys/fs/cgroup/*/; do mount -o remount,rw,bind "$group" 2>/dev/null || :; done
        # Version 2 wants processes in leaves alone.
        if [ -e /sys/fs/cgroup/cgroup.controllers ] && mkdir -p /sys/fs/cgroup/init; then
            while read -r process; do echo "$process" >/sys/fs/cgroup/init/cgroup.procs; done </sys/fs/cgroup/cgroup.procs
            sed "s/^/+/; s/ / +/g" /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
        fi
        if [ -n "$0" ]; then
            # shellcheck disable=SC2086
            $0 /run/registry/registry.sock &
        else
            # An engine gives its containerd 15 s, and ends. On an emulated machine that says how slow it is, and no more.
            containerd=/run/docker/containerd
            containerd --root /var/lib/docker/containerd/daemon --state "$containerd/daemon" \
                --address "$containerd/containerd.sock" >/tmp/containerd.log 2>&1 &
            until [ -S "$containerd/containerd.sock" ] || ! kill -0 "$!"; do sleep 1; done
            set -- --containerd "$containerd/containerd.sock" "$@"
        fi
        exec dockerd --host unix:///run/docker.sock --bip 10.203.0.1/24 "$@"
    ' "$FORWARD" "$@"
}

# Lets the next engine know of SELinux, in the lab. Under Debian's policy the engine around it may mount neither folder that
# this takes: the one comes within another, the other as a copy on the volume `policy`.
policy_within() {
    docker create --name given --volume policy:/etc/selinux "$ENGINE_IMAGE" true
    tar -c -C /etc/selinux config default/contexts | docker cp - given:/etc/selinux
    docker rm given
    ENGINE_RUN='--volume /sys/fs:/run/sysfs --volume policy:/etc/selinux'
}

# Waits until an engine answers, for so many seconds; fails where it has ended or does not in time.
engine_ready() {
    engine_deadline=$(($(date +%s) + ${2:-30}))
    while [ "$(date +%s)" -lt "$engine_deadline" ]; do
        if timeout "${2:-30}" docker exec "$1" docker version >/dev/null 2>&1; then return 0; fi
        [ "$(docker inspect --format '{{.State.Running}}' "$1" 2>/dev/null)" = true ] || return 1
        sleep 0.2
    done
    return 1
}

# The last line of a container's log.
last_words() {
    docker logs --tail 1 "$1" 2>&1 | tail -n 1
}

# A docker command to an engine that was started with `engine`.
inside() {
    inside_name=$1
    shift
    docker exec "$inside_name" docker "$@"
}
