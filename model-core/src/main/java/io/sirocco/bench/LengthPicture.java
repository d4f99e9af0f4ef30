package io.sirocco.bench;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Time and memory of a forward pass against the row's length, as an SVG of two panels. */
public final class LengthPicture {
  private static final String BLOCKS = "#0b6e4f";
  private static final String PLAIN = "#c8553d";
  private static final double MEBIBYTE = 1 << 20;

  private LengthPicture() {}

  /**
   * The picture.
   *
   * @param results of one model and precision, one at least, the shortest row first
   */
  public static String of(List<LengthBench.Result> results) {
    LengthBench.Result any = results.get(0);
    String caption =
        "%s, layers: %d, %s: a forward pass of one row"
            .formatted(any.geometry(), any.layers(), any.precision());
    int width = 2 * LogChart.WIDTH;
    return """
        <svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" \
        font-family="sans-serif" font-size="12">
        <title>%s</title>
        <rect width="%d" height="%d" fill="white"/>
        %s%s</svg>
        """
        .formatted(
            width,
            LogChart.HEIGHT,
            width,
            LogChart.HEIGHT,
            LogChart.escaped(caption),
            width,
            LogChart.HEIGHT,
            panel("Time: " + caption, "seconds", results, LengthBench.Pass::seconds).group(0),
            panel("Memory beside the weights", "MiB", results, pass -> pass.bytes() / MEBIBYTE)
                .group(LogChart.WIDTH));
  }

  private static LogChart panel(
      String title,
      String unit,
      List<LengthBench.Result> results,
      ToDoubleFunction<LengthBench.Pass> value) {
    List<Double> values =
        results.stream()
            .flatMap(result -> Stream.concat(Stream.of(result.blocks()), result.plain().stream()))
            .map(pass -> value.applyAsDouble(pass))
            .toList();
    List<Double> lengths = results.stream().map(result -> (double) result.length()).toList();
    // An axis needs two ends.
    List<Double> ticks = lengths.size() > 1 ? lengths : List.of(lengths.get(0), lengths.get(0) * 2);
    LogChart chart =
        new LogChart(
            title,
            new LogChart.Axis(
                "tokens of the row",
                ticks,
                tick -> String.format(Locale.ROOT, "%,d", Math.round(tick))),
            new LogChart.Axis(unit, LogChart.ticks(values), LengthPicture::number));
    return chart
        .add("attention in blocks", BLOCKS, points(results, r -> Optional.of(r.blocks()), value))
        .add("plain attention", PLAIN, points(results, LengthBench.Result::plain, value));
  }

  private static List<LogChart.Point> points(
      List<LengthBench.Result> results,
      Function<LengthBench.Result, Optional<LengthBench.Pass>> way,
      ToDoubleFunction<LengthBench.Pass> value) {
    return results.stream()
        .filter(result -> way.apply(result).isPresent())
        .map(
            result ->
                new LogChart.Point(
                    result.length(), value.applyAsDouble(way.apply(result).orElseThrow())))
        .toList();
  }

  private static String number(double value) {
    return value >= 1
        ? String.format(Locale.ROOT, "%,d", Math.round(value))
        : String.format(Locale.ROOT, "%s", (float) value);
  }
}
