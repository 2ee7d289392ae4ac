import { type DataFrame, dateTimeFormat } from "@grafana/data";
import { EventsCanvas, Tooltip, useTheme2, type UPlotConfigBuilder } from "@grafana/ui";
import { useLayoutEffect, useRef, useState } from "react";
import type uPlot from "uplot";

/** An annotation that scenes pass to a panel. */
interface Annotation {
  time: number;
  timeEnd: number;
  color: string;
  title: string;
  text: string;
  tags: string[];
}

interface Props {
  config: UPlotConfigBuilder;
  frames: DataFrame[];
  timeZone: string;
}

/** Draws annotations on a time plot: a tinted region between two lines, and a mark below its start with a tooltip. */
export function Annotations({ config, frames, timeZone }: Props) {
  const theme = useTheme2();
  const [plot, setPlot] = useState<uPlot>();
  const shown = useRef<Annotation[]>([]);
  shown.current = frames.flatMap(annotations);
  useLayoutEffect(() => {
    config.addHook("draw", (drawn) => {
      const { ctx, bbox, valToPos } = drawn;
      // EventsCanvas misses a plot's first draw if the draw precedes React's effects. Setting the state renders
      // EventsCanvas again.
      setPlot(drawn);
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      for (const { time, timeEnd, color } of shown.current) {
        const [from, to] = [valToPos(time, "x", true), valToPos(timeEnd, "x", true)];
        ctx.fillStyle = ctx.strokeStyle = theme.visualization.getColorByName(color);
        ctx.globalAlpha = 0.12;
        ctx.fillRect(from, bbox.top, to - from, bbox.height);
        ctx.globalAlpha = 0.8;
        ctx.lineWidth = devicePixelRatio;
        ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        for (const x of new Set([from, to])) {
          ctx.beginPath();
          ctx.moveTo(x, bbox.top);
          ctx.lineTo(x, bbox.top + bbox.height);
          ctx.stroke();
        }
      }
      ctx.restore();
    });
  }, [config, theme]);
  return (
    <EventsCanvas
      id="annotations"
      config={config}
      events={frames}
      renderEventMarker={(frame, row) => <Mark annotation={annotations(frame)[row]} timeZone={timeZone} />}
      mapEventToXYCoords={(frame, row) => place(plot, annotations(frame)[row])}
    />
  );
}

function Mark({ annotation, timeZone }: { annotation: Annotation | undefined; timeZone: string }) {
  const theme = useTheme2();
  if (annotation === undefined) return null;
  const { time, timeEnd, title, text, tags, color } = annotation;
  const times = [time, timeEnd].map((at) => dateTimeFormat(at, { timeZone })).join(" to ");
  return (
    <Tooltip
      content={
        <div>
          <div>{times}</div>
          <strong>{title}</strong>
          <div>{text}</div>
          <div>{tags.join(" · ")}</div>
        </div>
      }
    >
      <div
        data-testid="annotation"
        style={{
          width: 0,
          height: 0,
          border: "5px solid transparent",
          borderBottomColor: theme.visualization.getColorByName(color),
          marginLeft: -5,
        }}
      />
    </Tooltip>
  );
}

/**
 * Returns the position of the annotation's mark in pixels inside the plot; undefined if the annotation begins before
 * the time range.
 */
function place(
  plot: uPlot | undefined,
  annotation: Annotation | undefined,
): { x: number; y: number } | undefined {
  if (plot === undefined || annotation === undefined) return undefined;
  const x = plot.valToPos(annotation.time, "x");
  return x < 0 ? undefined : { x, y: plot.bbox.height / devicePixelRatio };
}

function annotations(frame: DataFrame): Annotation[] {
  const values = (name: string): unknown[] => frame.fields.find((field) => field.name === name)?.values ?? [];
  return values("time").map((time, row) => ({
    time: Number(time),
    timeEnd: Number(values("timeEnd")[row] ?? time),
    color: String(values("color")[row] ?? "red"),
    title: String(values("title")[row] ?? ""),
    text: String(values("text")[row] ?? ""),
    tags: (values("tags")[row] ?? []) as string[],
  }));
}
