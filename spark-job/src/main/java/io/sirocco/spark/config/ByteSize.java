package io.sirocco.spark.config;

import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: 5GB, 500MB, 4GiB. */
public final class ByteSize {
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,12})([KMGT]?I?B?)");
  private static final Map<Character, Integer> THOUSANDS = Map.of('K', 1, 'M', 2, 'G', 3, 'T', 4);

  private ByteSize() {}

  /**
   * Bytes; GB are 10⁹, GiB 2³⁰.
   *
   * @param key for messages
   */
  public static long parse(String key, String text) {
    Matcher matcher = SIZE.matcher(text.toUpperCase(Locale.ROOT));
    try {
      if (matcher.matches() && !matcher.group(2).equals("I") && !matcher.group(2).equals("IB")) {
        String unit = matcher.group(2);
        int power = unit.isEmpty() ? 0 : THOUSANDS.getOrDefault(unit.charAt(0), 0);
        long step = unit.contains("I") ? 1024 : 1000;
        long bytes = Long.parseLong(matcher.group(1));
        for (int i = 0; i < power; i++) {
          bytes = Math.multiplyExact(bytes, step);
        }
        if (bytes > 0) {
          return bytes;
        }
      }
    } catch (ArithmeticException e) {
      throw new ConfigException(key, text, "a size that fits a disk, such as 5GB");
    }
    throw new ConfigException(key, text, "a size such as 5GB, 500MB or 4GiB");
  }
}
