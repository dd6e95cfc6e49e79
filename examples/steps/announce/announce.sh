#!/bin/sh
# Writes a mark, or removes it. What it is told is one line of JSON without line breaks inside.
set -eu
read -r step

# The text of a key; enough for values without quotes in them.
value() {
    printf '%s\n' "$step" | sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

key=$(value key)
mark="/out/$key.txt"
case "$1" in
announce)
    # Under another name first, so that whoever looks at marks sees whole ones.
    value text >"/out/.$key"
    mv "/out/.$key" "$mark"
    printf '{"result": {"file": "%s.txt"}}\n' "$key"
    ;;
withdraw)
    rm -f "/out/.$key" "$mark"
    echo '{"result": {}}'
    ;;
esac
