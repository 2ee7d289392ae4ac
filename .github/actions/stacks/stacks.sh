#!/usr/bin/env bash
# Writes the names of all stacks except "local" to $GITHUB_OUTPUT, as names=["NAME",…].
set -euo pipefail

names=""
for file in Pulumi.*.yaml; do
  name="${file#Pulumi.}"
  name="${name%.yaml}"
  if [ "$name" != local ]; then names="$names${names:+,}\"$name\""; fi
done
echo "names=[$names]" >> "$GITHUB_OUTPUT"
