#!/usr/bin/env bash
# Previews the stack $STACK: all of it into the log, as much as fits into $RUNNER_TEMP/comment.md and the run's summary.
set -uo pipefail

# A comment takes 65,536 characters. Policies and the sum are at the end, so what is left out is in the middle.
HEAD=40000
TAIL=18000

preview="$RUNNER_TEMP/preview.txt"
comment="$RUNNER_TEMP/comment.md"

pulumi preview --stack "$STACK" --policy-pack policy --diff --color never --suppress-progress 2>&1 | tee "$preview"
status=$?

{
  echo "### What this would do to \`$STACK\`"
  echo '~~~~'
  if [ "$(wc -c < "$preview")" -gt $((HEAD + TAIL)) ]; then
    head -c "$HEAD" "$preview"
    printf '\n[…] the whole is in the log\n'
    tail -c "$TAIL" "$preview"
  else
    cat "$preview"
  fi
  echo '~~~~'
} > "$comment"
cat "$comment" >> "$GITHUB_STEP_SUMMARY"
echo "comment=$comment" >> "$GITHUB_OUTPUT"
exit "$status"
