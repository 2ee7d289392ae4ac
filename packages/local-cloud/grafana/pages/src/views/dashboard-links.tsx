import { urlUtil } from "@grafana/data";
import { LinkButton, Stack } from "@grafana/ui";
import { useEffect, useState } from "react";
import { useLocation } from "react-router-dom";
import { type SearchHit, searchDashboards } from "../api.ts";
import type { DashboardLinkModel } from "../model.ts";

interface Props {
  links: DashboardLinkModel[];
  /** UID of the current dashboard, which gets no link. */
  uid: string;
}

/** Shows the links in a dashboard's header, with its time range and variables if configured. */
export function DashboardLinks({ links, uid }: Props) {
  return (
    <Stack gap={1} wrap="wrap">
      {links.map((link) =>
        link.type === "link" ? (
          <LinkTo key={link.title} link={link} title={link.title} url={link.url ?? ""} />
        ) : (
          <LinksByTag key={link.title} link={link} uid={uid} />
        ),
      )}
    </Stack>
  );
}

function LinksByTag({ link, uid }: { link: DashboardLinkModel; uid: string }) {
  const [hits, setHits] = useState<SearchHit[]>([]);
  useEffect(() => {
    void searchDashboards(link.tags).then((found) => {
      setHits(found.filter((hit) => hit.uid !== uid));
    });
  }, [link, uid]);
  return hits.map(({ uid: target, title }) => (
    <LinkTo key={target} link={link} title={title} url={`/d/${target}`} />
  ));
}

function LinkTo({ link, title, url }: { link: DashboardLinkModel; title: string; url: string }) {
  const { search } = useLocation();
  return (
    <LinkButton
      variant="secondary"
      icon={link.type === "dashboards" ? "apps" : "external-link-alt"}
      tooltip={link.tooltip}
      href={withParameters(url, search, link)}
      target={link.targetBlank === true ? "_blank" : undefined}
    >
      {title}
    </LinkButton>
  );
}

/** Adds the parameters that the link keeps from the current URL: `from` and `to`, and `var-…`. */
function withParameters(url: string, search: string, link: DashboardLinkModel): string {
  const kept = [...new URLSearchParams(search)].filter(
    ([name]) =>
      (link.keepTime === true && ["from", "to", "timezone"].includes(name)) ||
      (link.includeVars === true && name.startsWith("var-")),
  );
  return urlUtil.appendQueryToUrl(url, new URLSearchParams(kept).toString());
}
