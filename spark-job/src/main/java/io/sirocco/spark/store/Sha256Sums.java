package io.sirocco.spark.store;

import io.sirocco.checkpoint.ModelException;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The file that {@code sha256sum *} writes: digests that the publisher of a model gives. */
final class Sha256Sums {
  static final String FILE = "SHA256SUMS";

  /** A digest, a blank, a blank or the star of binary mode, a name. */
  private static final Pattern LINE = Pattern.compile("([0-9a-fA-F]{64}) [ *](?:\\./)?(.+)");

  private Sha256Sums() {}

  /**
   * Digests in lower case by file name; also of files that are none of the model's.
   *
   * @param where names the file in errors
   */
  static Map<String, String> parse(String where, String text) {
    Map<String, String> digests = new HashMap<>();
    for (String line : text.split("\r?\n", -1)) {
      if (line.isBlank()) {
        continue;
      }
      Matcher parts = LINE.matcher(line);
      if (!parts.matches()) {
        throw new ModelException(
            where,
            "holds the line '"
                + line.substring(0, Math.min(line.length(), 80))
                + "', expected a SHA-256 digest, two blanks and a file name, as sha256sum writes");
      }
      String digest = parts.group(1).toLowerCase(Locale.ROOT);
      String former = digests.put(parts.group(2), digest);
      if (former != null && !former.equals(digest)) {
        throw new ModelException(
            where, "gives " + parts.group(2) + " two digests: " + former + " and " + digest);
      }
    }
    return digests;
  }

  /**
   * @throws ModelException if a file has another digest than its publisher gives
   */
  static void require(String where, String expected, String found) {
    if (!expected.isEmpty() && !expected.equals(found)) {
      throw new ModelException(
          where,
          "has the SHA-256 digest "
              + found
              + ", but "
              + FILE
              + " beside it gives "
              + expected
              + "; copy the model there again");
    }
  }
}
