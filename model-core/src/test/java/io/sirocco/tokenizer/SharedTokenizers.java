package io.sirocco.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;

/** Mistral's own tokenizer files beside the repository, for the tests that need them. */
final class SharedTokenizers {
  static final Path FOLDER = Path.of("..", "..", "shared", "tokenizers");
  static final ObjectMapper MAPPER = new ObjectMapper();

  private final Path unpacked;

  /** {@code unpacked} is a folder for what is packed there; one is enough for a test class. */
  private SharedTokenizers(Path unpacked) {
    this.unpacked = unpacked;
  }

  /** Skips the test, and says so, where the files are not there. */
  static SharedTokenizers orSkip(Path unpacked) throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), () -> "skipped: there is no " + FOLDER.toAbsolutePath());
    Path json = unpacked.resolve("tekken").resolve("tokenizer.json");
    if (!Files.exists(json)) {
      Files.createDirectories(json.getParent());
      Path packed = FOLDER.resolve("tekken").resolve("tokenizer.json.gz");
      try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
        Files.copy(in, json);
      }
    }
    return new SharedTokenizers(unpacked);
  }

  /** The folder with the tokenizer.json of v1, v3 or tekken. */
  Path folder(String name) {
    return (name.equals("tekken") ? unpacked : FOLDER).resolve(name);
  }

  Tokenizer open(String name, SpecialTokenText mode) {
    return Tokenizer.open(folder(name), mode);
  }

  static JsonNode cases(String name) throws IOException {
    return MAPPER.readTree(FOLDER.resolve(name).resolve("cases.json").toFile());
  }

  static int[] ints(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }
}
