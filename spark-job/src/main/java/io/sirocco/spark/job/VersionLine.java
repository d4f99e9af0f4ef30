package io.sirocco.spark.job;

import io.sirocco.spark.run.Versions;
import picocli.CommandLine.IVersionProvider;

/** What {@code --version} prints. */
final class VersionLine implements IVersionProvider {
  @Override
  public String[] getVersion() {
    return new String[] {"sirocco " + Versions.sirocco()};
  }
}
