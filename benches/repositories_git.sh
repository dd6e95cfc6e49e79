#!/bin/sh
# What people do by hand: clone each repository, branch, edit, commit, push the branch. One of several processes, each
# with its part of the repositories.
#   repositories_git.sh SOURCES WORK PART PARTS
set -eu
sources=$1 work=$2 part=$3 parts=$4
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME=Ada GIT_AUTHOR_EMAIL=ada@example.com GIT_COMMITTER_NAME=Ada GIT_COMMITTER_EMAIL=ada@example.com
mkdir -p "$work"
at=0
for repository in "$sources"/*.git; do
    at=$((at + 1))
    [ $((at % parts)) -eq "$part" ] || continue
    copy=$work/$(basename "$repository" .git)
    # By `file://`, as from a host: a plain path would only link the files.
    git clone -q "file://$repository" "$copy"
    cd "$copy"
    git checkout -q -b greylag/users-v2
    files=$(git grep -l -w raw.users_v1)
    sed -i -e 's/raw\.users_v1/raw.users_v2/g' -e 's/\buid\b/user_id/g' $files
    git commit -q -a -m "Read users_v2 in place of users_v1"
    git push -q origin greylag/users-v2
done
