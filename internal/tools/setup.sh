#!/usr/bin/env bash
# Installs what the tests need and the machine lacks: Debian's Chromium, a C compiler for the race detector, Java with
# Bouncy Castle, openssl and SoftHSM 2 (implementations that are not ours), Apache with mod_auth_openidc and Authlib with Flask
# (portals of others), the compilers of the agent's Windows build, node ≥ 20, and the pinned node modules. Does nothing where
# all of it is there.
set -eu
cd "$(dirname "$0")/../.."
cache=${BRAMA_CACHE:-$PWD/.cache}
mkdir -p "$cache"

packages=()
need() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
need chromium chromium
need gcc gcc
need openssl openssl
need javac default-jdk-headless
need keytool default-jre-headless
need softhsm2-util softhsm2
need pkcs11-tool opensc
need x86_64-w64-mingw32-gcc gcc-mingw-w64-x86-64
need i686-w64-mingw32-gcc gcc-mingw-w64-i686
[ -e /usr/include/stdlib.h ] || packages+=(libc6-dev)
[ -e /usr/share/java/bcprov.jar ] || packages+=(libbcprov-java)
[ -e /usr/share/java/bcpkix.jar ] || packages+=(libbcpkix-java)
[ -e /usr/sbin/apache2 ] || packages+=(apache2-bin)
[ -e /usr/lib/apache2/modules/mod_auth_openidc.so ] || packages+=(libapache2-mod-auth-openidc)
for module in authlib flask requests; do
  [ -d /usr/lib/python3/dist-packages/$module ] || packages+=("python3-$module")
done
[ -d /usr/share/fonts/truetype/dejavu ] || packages+=(fonts-dejavu-core)

node_major() { PATH=$cache/node/bin:$PATH node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }
major=$(node_major || true)
if [ "${major:-0}" -lt 20 ]; then
  need npm npm
fi

if [ ${#packages[@]} -gt 0 ]; then
  echo "installing: ${packages[*]}"
  sudo=
  [ "$(id -u)" = 0 ] || sudo=sudo
  export DEBIAN_FRONTEND=noninteractive
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
fi

if [ "$(node_major || echo 0)" -lt 20 ] 2>/dev/null || ! command -v node >/dev/null 2>&1; then
  # Debian's node may be too old for the relying-party libraries: the npm registry carries the runtime as a package.
  case $(uname -m) in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; *) echo "no node for $(uname -m)"; exit 1 ;; esac
  npm install --silent --no-audit --no-fund --prefix "$cache/node-runtime" "node-linux-$arch@20.19.0"
  mkdir -p "$cache/node/bin"
  ln -sf "$cache/node-runtime/node_modules/node-linux-$arch/bin/node" "$cache/node/bin/node"
fi

# Node modules of the tests, from their lock files.
git ls-files '*package-lock.json' | while read -r lock; do
  dir=$(dirname "$lock")
  if [ ! -e "$dir/node_modules/.package-lock.json" ] || [ "$lock" -nt "$dir/node_modules/.package-lock.json" ]; then
    (cd "$dir" && npm ci --silent --no-audit --no-fund)
  fi
done
