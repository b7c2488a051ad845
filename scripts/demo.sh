# Sourced by run.sh, with `ctl`, $state, $server and $fixtures: authors, a caller with credit, the examples, Fixtures/
# unless $fixtures is empty; then how to call them.
# What has to be remembered between runs, a key and what was deployed, lies beside the ledger as demo-*.

for user in demo caller ${fixtures:+$(ls Fixtures)}; do
    ctl user show $user >/dev/null 2>&1 || ctl user create $user
done
ctl credit top-up caller 100 --ref demo-start >/dev/null

key_file=$state/demo-key
key=$(cat "$key_file" 2>/dev/null || true)
if [ -z "$key" ] || ! FAASD_KEY=$key ctl usage list --server "$server" --limit 1 >/dev/null 2>&1; then
    key=$(ctl key create --user caller --kind algorithm --label 'make run' --json | sed -n 's/.*"key":"\([^"]*\)".*/\1/p')
    (umask 077 && echo "$key" >"$key_file")
fi

# deploy FOLDER OWNER/NAME OPTION…: unless a version of exactly these files, deployed with these options, is there.
deploy() {
    folder=$1 name=$2
    shift 2
    files=$(cd "$folder" && find . -name __pycache__ -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort)
    digest=$(echo "$* $files" | sha256sum | cut -c1-64)
    # Named after the folder: two folders may be versions of one algorithm, and two algorithms may differ in owner only.
    note=$state/demo-$(echo "${folder#*/}" | tr / -)
    was='' hash=''
    [ ! -f "$note" ] || read -r was hash <"$note"
    if [ "$was" = "$digest" ] && ctl algo show "$name" --json 2>/dev/null | grep -q "\"$hash\""; then
        echo "$name is deployed already."
        return
    fi
    echo "Deploying $name …"
    answer=$(ctl algo deploy "$folder" --name "$name" --public --json "$@") || return
    echo "$digest $(echo "$answer" | sed -n 's/.*"hash":"\([^"]*\)".*/\1/p')" >"$note"
}

deploy Examples/hello demo/hello --royalty 500 || exit
for example in iris thumbnail wordfreq; do
    # Two of them install wheels, which needs a package index.
    deploy Examples/$example demo/$example ||
        echo "demo/$example could not be deployed, for the reason above; the others work."
done

[ -z "$fixtures" ] || for folder in Fixtures/*/*; do
    name=${folder#Fixtures/}
    case $name in
        # A revision of demo/hello, names being compared without case; the documentation calls demo/Hello/0.1.1.
        demo/Hello) options='--royalty 500 --bump revision' ;;
        testing/Sleep) options='--timeout 3000' ;;
        *) options= ;;
    esac
    deploy "$folder" "$name" $options ||
        echo "$name could not be deployed, for the reason above; the others work."
done

cat <<END

A marketplace is running on $server, with the algorithms of Examples/ as demo/NAME${fixtures:+
and those of Fixtures/OWNER/NAME as OWNER/NAME}. Call one:

curl -s $server/v1/algo/demo/hello -H 'Authorization: Simple $key' -H 'Content-Type: text/plain' -d Jane

With the official Python client, installed apart from the rest of the machine:

/usr/bin/python3 -m venv ~/.faasd-demo && ~/.faasd-demo/bin/pip install -q algorithmia==2.0.5
~/.faasd-demo/bin/python

import Algorithmia
client = Algorithmia.client("$key", "$server")
print(client.algo("demo/hello").pipe("Jane").result)

What it cost, as root in another terminal:

$binaries/faasctl usage list --account caller --socket $FAASD_SOCKET

Ctrl-C here stops the daemon; everything stays in $state for the next time.

END
