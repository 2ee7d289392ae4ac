#!/usr/bin/env bash
# Creates or updates the comment on pull request $NUMBER about the stack $STACK, with the content of the file $COMMENT.
# There is one comment per stack, identified by its first line.
set -euo pipefail

heading="$(head -n 1 "$COMMENT")"
comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
id="$(HEADING="$heading" gh api "$comments" --paginate \
  --jq '.[] | select(.user.type == "Bot" and (.body | startswith(env.HEADING + "\n"))) | .id' | head -n 1)"
if [ -n "$id" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field "body=@$COMMENT" --silent
else
  gh api --method POST "$comments" --field "body=@$COMMENT" --silent
fi
