package io.sirocco.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class JsonTest {
  @TempDir private Path folder;

  /** Three bytes of the file would become eighty of the heap. */
  @Test
  void objectsWithoutNumberAreRefused() throws IOException {
    Path file = Files.writeString(folder.resolve("x.json"), objects(2_200_000));
    assertThatExceptionOfType(ModelException.class)
        .isThrownBy(() -> Json.readObject(file, WeightFiles.MAX_INDEX))
        .withMessageContaining(file.toString());

    Files.writeString(file, objects(1_000_000));
    assertThat(Json.readObject(file, WeightFiles.MAX_INDEX).path("x")).hasSize(1_000_000);
  }

  private static String objects(int count) {
    return "{\"x\":[" + "{},".repeat(count - 1) + "{}]}";
  }
}
