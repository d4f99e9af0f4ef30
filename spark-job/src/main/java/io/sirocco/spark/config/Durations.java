package io.sirocco.spark.config;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Lengths of time in a job file: a whole number and a unit, or none. */
final class Durations {
  static final String EXPECTED =
      "a duration such as 500ms, 90s, 10m or 2h; 0 or none: as long as it takes";

  /** Of no length: not limited. */
  private static final String NONE = "none";

  private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})(ms|s|m|h)");
  private static final Map<String, Duration> UNITS =
      Map.of(
          "ms", Duration.ofMillis(1),
          "s", Duration.ofSeconds(1),
          "m", Duration.ofMinutes(1),
          "h", Duration.ofHours(1));

  private Durations() {}

  /** Empty if it is none; zero, however it is written, for not limited. */
  static Optional<Duration> parse(String text) {
    String lower = text.strip().toLowerCase(Locale.ROOT);
    if (lower.equals(NONE) || lower.equals("0")) {
      return Optional.of(Duration.ZERO);
    }
    Matcher duration = DURATION.matcher(lower);
    return duration.matches()
        ? Optional.of(UNITS.get(duration.group(2)).multipliedBy(Long.parseLong(duration.group(1))))
        : Optional.empty();
  }

  /** Reads back as the same. */
  static String text(Duration duration) {
    if (duration.isZero()) {
      return NONE;
    }
    if (duration.toMillis() % 1000 != 0) {
      return duration.toMillis() + "ms";
    }
    return duration.toSeconds() % 60 == 0 ? duration.toMinutes() + "m" : duration.toSeconds() + "s";
  }
}
