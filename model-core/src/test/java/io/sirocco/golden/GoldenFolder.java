package io.sirocco.golden;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.model.TokenRow;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A tiny reference model with what the reference computes with it; see the README beside them. */
record GoldenFolder(Path path, JsonNode cases) {
  static final ObjectMapper JSON = new ObjectMapper();

  /** This repository's own part of the golden data. */
  static final Path OWN = Path.of("src/test/resources/golden");

  /** The whole of it, beside the repository; absent in a plain clone. */
  static final Path SHARED = Path.of("../../shared/golden");

  static GoldenFolder open(Path path) {
    try {
      return new GoldenFolder(path, JSON.readTree(path.resolve("cases.json").toFile()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Every folder with cases below {@code root}, with weights beside them. */
  static List<GoldenFolder> below(Path root) {
    try (Stream<Path> files = Files.walk(root, 3)) {
      return files
          .filter(file -> file.endsWith("cases.json"))
          .map(Path::getParent)
          .filter(folder -> Files.exists(folder.resolve("config.json")))
          .sorted()
          .map(GoldenFolder::open)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<JsonNode> casesOf(String kind) {
    List<JsonNode> found = new ArrayList<>();
    cases
        .path("cases")
        .forEach(
            node -> {
              if (node.path("kind").asText().equals(kind)) {
                found.add(node);
              }
            });
    return found;
  }

  /** |got - want| may be at most abs + rel · |want|. */
  double tolerance(float want) {
    JsonNode float32 = cases.path("tolerance").path("float32");
    return float32.path("abs").asDouble() + float32.path("rel").asDouble() * Math.abs(want);
  }

  /** The rows of a case, pads and all, as the reference was given them. */
  static List<TokenRow> rows(JsonNode golden) {
    List<TokenRow> rows = new ArrayList<>();
    JsonNode ids = golden.path("input_ids");
    JsonNode masks = golden.path("attention_mask");
    for (int row = 0; row < ids.size(); row++) {
      Optional<int[]> mask =
          masks.isMissingNode() ? Optional.empty() : Optional.of(integers(masks.get(row)));
      rows.add(new TokenRow(integers(ids.get(row)), mask));
    }
    return rows;
  }

  static int[] integers(JsonNode array) {
    int[] values = new int[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = array.get(i).asInt();
    }
    return values;
  }

  static float[] floats(JsonNode array) {
    float[] values = new float[array.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) array.get(i).asDouble();
    }
    return values;
  }

  @Override
  public String toString() {
    return path.getParent().getFileName() + "/" + path.getFileName();
  }
}
