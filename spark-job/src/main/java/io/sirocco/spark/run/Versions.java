package io.sirocco.spark.run;

import java.util.Optional;
import picocli.CommandLine.IVersionProvider;

/** The version of this build, from the jar's manifest. */
public final class Versions implements IVersionProvider {
  private static final String UNPACKED = "development";

  static String sirocco() {
    return Optional.ofNullable(Versions.class.getPackage().getImplementationVersion())
        .orElse(UNPACKED);
  }

  @Override
  public String[] getVersion() {
    return new String[] {"sirocco " + sirocco()};
  }
}
