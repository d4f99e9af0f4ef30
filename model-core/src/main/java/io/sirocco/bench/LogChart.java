package io.sirocco.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;

/**
 * Lines over logarithmic axes, as an SVG: a panel of one picture. Points that are not there are not
 * drawn.
 */
final class LogChart {
  static final int WIDTH = 460;
  static final int HEIGHT = 380;
  private static final int LEFT = 76;
  private static final int RIGHT = 16;
  private static final int TOP = 40;
  private static final int BOTTOM = 54;

  private final Axis x;
  private final Axis y;
  private final StringBuilder svg = new StringBuilder();

  /**
   * An axis.
   *
   * @param title with the unit
   * @param ticks where it is labelled, in ascending order; first and last are its ends
   */
  record Axis(String title, List<Double> ticks, DoubleFunction<String> label) {
    double place(double value) {
      double first = Math.log(ticks.get(0));
      double last = Math.log(ticks.get(ticks.size() - 1));
      return (Math.log(value) - first) / (last - first);
    }
  }

  /** A line's point. */
  record Point(double x, double y) {}

  LogChart(String title, Axis x, Axis y) {
    this.x = x;
    this.y = y;
    text(LEFT, TOP - 18, "start", title, "font-weight=\"bold\"");
    for (double tick : x.ticks()) {
      line(px(tick), py(first(y)), px(tick), py(last(y)));
      text(px(tick), HEIGHT - BOTTOM + 18, "middle", x.label().apply(tick), "");
    }
    for (double tick : y.ticks()) {
      line(px(first(x)), py(tick), px(last(x)), py(tick));
      text(LEFT - 8, py(tick) + 4, "end", y.label().apply(tick), "");
    }
    text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 12, "middle", x.title(), "");
    double middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    text(16, middle, "middle", y.title(), format("transform=\"rotate(-90 16 %.1f)\"", middle));
  }

  /** Draws a line with its name at its last point, or nothing where there is no point. */
  LogChart add(String name, String colour, List<Point> points) {
    if (points.isEmpty()) {
      return this;
    }
    StringBuilder path = new StringBuilder();
    for (Point point : points) {
      path.append(format("%.1f,%.1f ", px(point.x()), py(point.y())));
      svg.append(
          format(
              "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3\" fill=\"%s\"/>%n",
              px(point.x()), py(point.y()), colour));
    }
    svg.append(
        format(
            "<polyline points=\"%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"2\"/>%n",
            path.toString().strip(), colour));
    Point last = points.get(points.size() - 1);
    text(px(last.x()) - 8, py(last.y()) - 8, "end", name, "fill=\"" + colour + "\"");
    return this;
  }

  /** The panel as a group whose left upper corner is at {@code left}. */
  String group(int left) {
    return "<g transform=\"translate(" + left + " 0)\">\n" + svg + "</g>\n";
  }

  /** Powers of ten around all values. */
  static List<Double> ticks(List<Double> values) {
    double least = values.stream().mapToDouble(Double::doubleValue).min().orElse(1);
    double most = values.stream().mapToDouble(Double::doubleValue).max().orElse(10);
    double from = Math.pow(10, Math.floor(Math.log10(least)));
    double to = Math.pow(10, Math.floor(Math.log10(most)) + 1);
    List<Double> ticks = new ArrayList<>();
    for (double tick = from; tick < to * 1.5; tick *= 10) {
      ticks.add(tick);
    }
    return ticks;
  }

  private static double first(Axis axis) {
    return axis.ticks().get(0);
  }

  private static double last(Axis axis) {
    return axis.ticks().get(axis.ticks().size() - 1);
  }

  private double px(double value) {
    return LEFT + x.place(value) * (WIDTH - LEFT - RIGHT);
  }

  private double py(double value) {
    return HEIGHT - BOTTOM - y.place(value) * (HEIGHT - TOP - BOTTOM);
  }

  private void line(double fromX, double fromY, double toX, double toY) {
    svg.append(
        format(
            "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/>%n",
            fromX, fromY, toX, toY));
  }

  private void text(double left, double base, String anchor, String text, String more) {
    svg.append(
        format(
            "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" %s>%s</text>%n",
            left, base, anchor, more, escaped(text)));
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }

  private static String format(String pattern, Object... values) {
    return String.format(Locale.ROOT, pattern, values);
  }
}
