#!/bin/bash
# Turns files into C that holds their bytes, so that the one binary carries its schema, its description and its pages.
#
#   scripts/embed.sh migrations FOLDER SYMBOL OUT.c   every NNNN_name.sql, in order of number
#   scripts/embed.sh text SYMBOL FILE OUT.c    SYMBOL[] (NUL-terminated) and SYMBOL_bytes (without the NUL)
#   scripts/embed.sh web FOLDER OUT.c          every file below FOLDER, by its path
#
# A missing input makes an empty table. OUT.c is replaced only when its content changes, so that nothing is compiled
# again for nothing. Bytes are written as octal escapes: always three digits, so they never run into what follows.
set -euo pipefail
export LC_ALL=C

bytes_of() { od -An -v -to1 -w24 "$1" | sed 's/ /\\/g; s/^/    "/; s/$/"/'; }
size_of() { wc -c <"$1" | tr -d ' '; }
banner() { echo "/* Made by scripts/embed.sh from $1; changes here are lost. */"; }

migrations() {
    local folder=$1 symbol=$2 count=0 path file version previous=-1
    banner "$folder/"
    echo '#include "store/migrations_embedded.h"'
    echo
    echo "const struct migration_file ${symbol}[] = {"
    for path in "$folder"/*.sql; do
        [ -e "$path" ] || continue
        file=$(basename "$path" .sql)
        if ! [[ $file =~ ^([0-9]{4})_[a-z0-9_]+$ ]]; then
            echo "embed: $path is not named NNNN_verb_noun.sql" >&2
            return 1
        fi
        version=$((10#${BASH_REMATCH[1]}))
        if [ "$version" -eq "$previous" ]; then
            echo "embed: $path has the number of another migration" >&2
            return 1
        fi
        previous=$version
        count=$((count + 1))
        echo "    {$version, \"$file\","
        bytes_of "$path"
        echo '    },'
    done
    echo '    {0, NULL, NULL},'
    echo '};'
    echo "const size_t ${symbol}_count = $count;"
}

text() {
    local symbol=$1 path=$2 size=0
    banner "$path"
    echo '#include <stddef.h>'
    echo
    echo "extern const char ${symbol}[];"
    echo "extern const size_t ${symbol}_bytes;"
    echo
    echo "const char ${symbol}[] ="
    if [ -s "$path" ]; then
        size=$(size_of "$path")
        bytes_of "$path"
    else
        echo '    ""'
    fi
    echo '    ;'
    echo "const size_t ${symbol}_bytes = $size;"
}

web() {
    local folder=$1 count=0 path
    banner "$folder/"
    echo '#include "handlers/web_embedded.h"'
    echo
    echo 'const struct web_file web_embedded[] = {'
    if [ -d "$folder" ]; then
        while IFS= read -r path; do
            count=$((count + 1))
            echo "    {\"${path#"$folder"/}\", $(size_of "$path"),"
            if [ -s "$path" ]; then bytes_of "$path"; else echo '    ""'; fi
            echo '    },'
        done < <(find "$folder" -type f ! -name '.*' ! -name '*.md' | sort)
    fi
    echo '    {NULL, 0, NULL},'
    echo '};'
    echo "const size_t web_embedded_count = $count;"
}

case "${1-} $#" in
'migrations 4' | 'web 3' | 'text 4') ;;
*)
    sed -n '4,6s/^# *//p' "$0" >&2
    exit 2
    ;;
esac
out=${!#}
mkdir -p "$(dirname "$out")"
trap 'rm -f "$out.new.$$"' EXIT
"$1" "${@:2:$#-2}" >"$out.new.$$"
cmp -s "$out.new.$$" "$out" || mv "$out.new.$$" "$out"
