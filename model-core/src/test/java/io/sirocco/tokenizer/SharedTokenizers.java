package io.sirocco.tokenizer;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.zip.GZIPInputStream;

/** Mistral's own tokenizer files beside the repository, for the tests that need them. */
final class SharedTokenizers {
  static final Path FOLDER = Path.of("..", "..", "shared", "tokenizers");
  static final ObjectMapper MAPPER = new ObjectMapper();

  private static final Map<String, String> RAW =
      Map.of("v1", "tokenizer.model", "v3", "tokenizer.model", "tekken", "tekken.json");

  private final Map<String, Path> folders;

  private SharedTokenizers(Map<String, Path> folders) {
    this.folders = folders;
  }

  /**
   * Those with a tokenizer.json. Skips the test, and says so, where the files are not there.
   *
   * @param unpacked a folder for what is packed there; one is enough for a test class
   */
  static SharedTokenizers orSkip(Path unpacked) throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), () -> "skipped: there is no " + FOLDER.toAbsolutePath());
    Map<String, Path> folders = new HashMap<>();
    for (String name : RAW.keySet()) {
      folders.put(name, unpacked.resolve(name));
      unpack(name, "tokenizer.json", unpacked.resolve(name));
    }
    return new SharedTokenizers(folders);
  }

  /** As {@link #orSkip}, but with nothing in the folders that a raw release would not have. */
  static SharedTokenizers rawOrSkip(Path unpacked) throws IOException {
    assumeTrue(Files.isDirectory(FOLDER), () -> "skipped: there is no " + FOLDER.toAbsolutePath());
    Map<String, Path> folders = new HashMap<>();
    for (Map.Entry<String, String> raw : RAW.entrySet()) {
      folders.put(raw.getKey(), unpacked.resolve("raw-" + raw.getKey()));
      unpack(raw.getKey(), raw.getValue(), folders.get(raw.getKey()));
    }
    return new SharedTokenizers(folders);
  }

  private static void unpack(String name, String file, Path to) throws IOException {
    if (Files.exists(to.resolve(file))) {
      return;
    }
    Files.createDirectories(to);
    Path packed = FOLDER.resolve(name).resolve(file + ".gz");
    if (Files.exists(packed)) {
      try (InputStream in = new GZIPInputStream(Files.newInputStream(packed))) {
        Files.copy(in, to.resolve(file));
      }
    } else {
      Files.copy(FOLDER.resolve(name).resolve(file), to.resolve(file));
    }
  }

  /** The folder with the tokenizer of v1, v3 or tekken. */
  Path folder(String name) {
    return folders.get(name);
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
