package io.sirocco.spark.run;

import java.util.Optional;

/** The version of this build, from the jar's manifest. */
public final class Versions {
  private static final String UNPACKED = "development";

  private Versions() {}

  /** Such as 0.1.0; "development" where classes are not in a jar. */
  public static String sirocco() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse(UNPACKED);
  }
}
