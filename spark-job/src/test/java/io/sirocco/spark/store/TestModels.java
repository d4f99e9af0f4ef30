package io.sirocco.spark.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** Folders that look like models to the store, which does not look into weights. */
final class TestModels {
  private TestModels() {}

  /** A model with weights of that many random bytes. */
  static Path random(Path folder, long seed, int bytes) throws IOException {
    Files.createDirectories(folder.resolve("additional_chat_templates"));
    Files.writeString(folder.resolve("config.json"), "{\"seed\": " + seed + "}");
    Files.writeString(folder.resolve("tokenizer.json"), "{}");
    Files.writeString(folder.resolve("additional_chat_templates/tool_use.jinja"), "{{ tools }}");
    Files.writeString(folder.resolve("README.md"), "not fetched");
    Files.write(folder.resolve("model.safetensors"), weights(seed, bytes));
    return folder;
  }

  static byte[] weights(long seed, int bytes) {
    byte[] weights = new byte[bytes];
    new Random(seed).nextBytes(weights);
    return weights;
  }

  /** A safetensors file with one tensor of bytes. */
  static byte[] safetensors(String tensor, int size) {
    byte[] header =
        ("{\""
                + tensor
                + "\":{\"dtype\":\"U8\",\"shape\":["
                + size
                + "],\"data_offsets\":[0,"
                + size
                + "]}}")
            .getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(Long.BYTES + header.length + size)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(header.length)
        .put(header)
        .array();
  }

  /** That the copy has the files of the model, and nothing else but its manifest. */
  static void requireSame(Path copy, Path model) throws IOException {
    try (Stream<Path> files = Files.walk(copy)) {
      assertThat(files.filter(Files::isRegularFile).map(file -> copy.relativize(file).toString()))
          .containsExactlyInAnyOrder(
              "manifest.json",
              "config.json",
              "tokenizer.json",
              "model.safetensors",
              "additional_chat_templates/tool_use.jinja");
    }
    for (String name : List.of("config.json", "tokenizer.json", "model.safetensors")) {
      assertThat(Files.mismatch(copy.resolve(name), model.resolve(name))).as(name).isEqualTo(-1);
    }
  }

  /** Of all models on their way. */
  static long journaledBytes(Path cache) {
    long sum = 0;
    for (Path partial : folders(cache.resolve("partial"))) {
      try {
        sum += PartialCopy.journaledBytes(partial);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return sum;
  }

  static List<Path> folders(Path folder) {
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> entries = Files.list(folder)) {
      return entries.filter(Files::isDirectory).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
