package io.sirocco.spark.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.sirocco.bench.Geometry;
import io.sirocco.bench.SyntheticCheckpoint;
import io.sirocco.spark.config.ConfigException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * The checkpoint of a benchmark: one that is there, or one made for it.
 *
 * @param folder of the model
 * @param label its name in results
 * @param prepared a temporary folder for its prepared weights
 */
public record BenchCheckpoint(Path folder, String label, Path prepared) {
  private static final String CONFIG = "config.json";
  private static final String PREPARED = "sirocco-bench-prepared";
  private static final Geometry DEFAULT_GEOMETRY = Geometry.MISTRAL_7B;
  private static final int DEFAULT_LAYERS = 4;

  /**
   * What is asked for.
   *
   * @param folder to keep it in, or to take it from
   * @param geometry if not the default, or that of what is there
   * @param layers likewise
   */
  public record Wanted(
      Optional<Path> folder, Optional<Geometry> geometry, Optional<Integer> layers) {}

  /**
   * Takes what is in the folder, or writes a checkpoint into it; without a folder into a temporary
   * one, which is deleted when the JVM ends.
   *
   * @throws ConfigException if the folder holds another model than what is asked for
   */
  public static BenchCheckpoint of(Wanted wanted, Consumer<String> progress) throws IOException {
    if (wanted.folder().isPresent() && Files.exists(wanted.folder().get().resolve(CONFIG))) {
      return taken(wanted.folder().get(), wanted, progress);
    }
    Path folder;
    if (wanted.folder().isPresent()) {
      folder = wanted.folder().get();
    } else {
      folder = temporary("sirocco-bench", progress);
    }
    Geometry geometry = wanted.geometry().orElse(DEFAULT_GEOMETRY);
    int layers = wanted.layers().orElse(DEFAULT_LAYERS);
    progress.accept("writing " + layers + " layers of " + geometry.label());
    SyntheticCheckpoint.write(folder, geometry, layers);
    return new BenchCheckpoint(folder, geometry.label(), temporary(PREPARED, progress));
  }

  /** A folder that is deleted when the JVM ends, also by SIGINT and SIGTERM. */
  static Path temporary(String prefix, Consumer<String> progress) throws IOException {
    Path folder = Files.createTempDirectory(prefix);
    Runtime.getRuntime()
        .addShutdownHook(new Thread(() -> delete(folder, progress), "delete-" + prefix));
    return folder;
  }

  /** Results are labelled with what was asked for, so the folder must hold that. */
  private static BenchCheckpoint taken(Path folder, Wanted wanted, Consumer<String> progress)
      throws IOException {
    JsonNode config = new ObjectMapper().readTree(folder.resolve(CONFIG).toFile());
    int hidden = config.path("hidden_size").asInt();
    int layers = config.path("num_hidden_layers").asInt();
    boolean sameSize = wanted.geometry().map(Geometry::hidden).orElse(hidden) == hidden;
    boolean sameDepth = wanted.layers().orElse(layers) == layers;
    if (!sameSize || !sameDepth) {
      throw new ConfigException(
          "%s holds %d layers of hidden_size %d; --geometry and --layers ask for %s of %s"
              .formatted(
                  folder,
                  layers,
                  hidden,
                  wanted.layers().map(Object::toString).orElse("any number"),
                  wanted.geometry().map(g -> Integer.toString(g.hidden())).orElse("any size")));
    }
    String name = String.valueOf(folder.toAbsolutePath().normalize().getFileName());
    return new BenchCheckpoint(
        folder, wanted.geometry().map(Geometry::label).orElse(name), temporary(PREPARED, progress));
  }

  private static void delete(Path folder, Consumer<String> progress) {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    } catch (IOException | UncheckedIOException e) {
      progress.accept("delete " + folder + " by hand: " + e);
    }
  }
}
