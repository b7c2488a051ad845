# Sourced in the virtual machine of test-v2.sh, in the repository, with $commit, $binaries, $stages, $accelerator and
# $attacks. Each stage is bounded in time and ends in a line of its own, and its failure does not keep the next from running.
export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
failed=0

fact() { echo "FACT $1: $2"; }

# stage NAME SECONDS COMMAND…
stage() {
    name=$1 bound=$2 status=0
    shift 2
    case " $stages " in *" all "* | *" $name "*) ;; *) return 0 ;; esac
    began=$(date +%s)
    echo "BEGIN $name"
    timeout --kill-after=10 "$bound" "$@" 2>&1 || status=$?
    word=ok
    [ $status -eq 0 ] || { word="FAILED with status $status" failed=1; }
    echo "STAGE $name: $word, $(($(date +%s) - began)) s"
}

fact commit "$commit"
fact kernel "$(uname -r) $(uname -v)"
fact systemd "$(systemctl --version | head -n 1)"
fact python "$(/usr/bin/python3 --version)"
fact processor "$(nproc) × $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1)"
fact 'control groups' "$(grep ' - cgroup' /proc/self/mountinfo | sed 's/.* - //' | tr '\n' ';')"

/usr/sbin/useradd --system --user-group --no-create-home --shell /usr/sbin/nologin faasd

stage doctor 60 /usr/local/bin/faasd doctor
stage verify 60 sh scripts/v2/verify.sh
stage unit 1500 env FAASD_BIN=/usr/local/bin /usr/bin/python3 -u -B -m unittest discover -v -s Tests/Systemd -p test_unit.py
stage user 300 env FAASD_BIN=/usr/local/bin /usr/bin/python3 -u -B -m unittest discover -v -s Tests/Systemd -p test_user_unit.py
stage sandbox 900 sh scripts/v2/sandbox.sh "$binaries" "$accelerator"
stage corpus 3600 sh scripts/v2/corpus.sh 3500 "$attacks"

word=ok
[ $failed -eq 0 ] || word=FAILED
echo "END $word"
