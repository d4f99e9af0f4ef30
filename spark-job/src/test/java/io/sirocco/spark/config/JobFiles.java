package io.sirocco.spark.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;

/** For tests of job files: each is written, read, and may be refused. */
abstract class JobFiles {
  @TempDir Path folder;

  JobConfig read(String yaml, String... overrides) {
    try {
      return JobConfigReader.read(
          Files.writeString(folder.resolve("job.yaml"), yaml), List.of(overrides));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** {@code override}: one, or an empty text for none. */
  void assertRefused(String yaml, String override, String... words) {
    String[] overrides = override.isEmpty() ? new String[0] : new String[] {override};
    assertThatExceptionOfType(ConfigException.class)
        .isThrownBy(() -> read(yaml, overrides))
        .satisfies(e -> assertThat(e.getMessage()).contains(words));
  }
}
