package io.sirocco.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The files of a raw release, in a folder or in a tar archive, and which of them hold its weights.
 *
 * @param source the folder or archive
 * @param byName all files, without folders
 */
record ReleaseFiles(Path source, Map<String, ReleaseFile> byName) {
  /** One file for each of the processes that the model was trained on. */
  private static final Pattern RANK =
      Pattern.compile("consolidated\\.([0-9]{2,4})\\.(pth|safetensors)");

  /** Shards whose index may be missing. */
  private static final Pattern SHARD =
      Pattern.compile("consolidated-([0-9]{5})-of-([0-9]{5})\\.safetensors");

  private static final String PICKLED = ".pth";

  /**
   * Lists a folder, or the members of an archive.
   *
   * @throws ModelException if it is neither, or not readable
   */
  static ReleaseFiles list(Path source) {
    Map<String, ReleaseFile> files = new TreeMap<>();
    if (Files.isRegularFile(source)) {
      for (ReleaseFile file : TarArchive.files(source)) {
        if (files.put(file.name(), file) != null) {
          throw new ModelException(
              source.toString(),
              "holds two files called " + file.name() + ", expected one release");
        }
      }
      return new ReleaseFiles(source, files);
    }
    try (Stream<Path> entries = Files.list(source)) {
      for (Path file : entries.filter(Files::isRegularFile).toList()) {
        String name = String.valueOf(file.getFileName());
        files.put(name, new ReleaseFile(name, file, 0, Files.size(file)));
      }
    } catch (IOException e) {
      throw new ModelException(source.toString(), "cannot be listed: " + e, e);
    }
    return new ReleaseFiles(source, files);
  }

  /** Whether it has the sizes and the weights of a raw release. */
  boolean isRelease() {
    return byName.containsKey(WeightFiles.RAW_PARAMS)
        && byName.keySet().stream().anyMatch(ReleaseFiles::isWeights);
  }

  static boolean isWeights(String name) {
    return name.equals(WeightFiles.RAW_WHOLE)
        || name.equals(WeightFiles.RAW_INDEX)
        || RANK.matcher(name).matches()
        || SHARD.matcher(name).matches();
  }

  /** The first pickled file of weights, where there are no others; empty text if there are. */
  String pickled() {
    boolean plain = byName.keySet().stream().anyMatch(ReleaseFiles::isPlain);
    return plain
        ? ""
        : byName.keySet().stream().filter(ReleaseFiles::isWeights).findFirst().orElse("");
  }

  private static boolean isPlain(String name) {
    return isWeights(name) && !name.endsWith(PICKLED);
  }

  /** A file that has to be there. */
  ReleaseFile require(String name) {
    ReleaseFile file = byName.get(name);
    if (file == null) {
      throw new ModelException(
          source.resolve(name).toString(), "is missing; expected a raw release of Mistral's");
    }
    return file;
  }

  /**
   * The files of weights: an element for each part that the tensors are split into, one where they
   * are whole; safetensors before pickles where there are both.
   *
   * @throws ModelException if there are none, or some are missing
   */
  List<List<ReleaseFile>> parts() {
    if (byName.containsKey(WeightFiles.RAW_WHOLE)) {
      return List.of(List.of(byName.get(WeightFiles.RAW_WHOLE)));
    }
    if (byName.containsKey(WeightFiles.RAW_INDEX)) {
      return List.of(indexed(byName.get(WeightFiles.RAW_INDEX)));
    }
    List<ReleaseFile> shards = shards();
    if (!shards.isEmpty()) {
      return List.of(shards);
    }
    boolean plain = byName.keySet().stream().anyMatch(ReleaseFiles::isPlain);
    List<ReleaseFile> ranks = ranks(plain ? "safetensors" : "pth");
    if (ranks.isEmpty()) {
      throw new ModelException(
          source.toString(),
          "holds no weights; expected "
              + WeightFiles.RAW_WHOLE
              + ", its parts and their index, or consolidated.00.pth");
    }
    return ranks.stream().map(List::of).toList();
  }

  private List<ReleaseFile> indexed(ReleaseFile index) {
    Path shown = index.shown();
    byte[] json = index.bytes(WeightFiles.MAX_INDEX);
    Map<String, String> places =
        WeightFiles.weightMap(shown, Json.parseObject(shown.toString(), json));
    for (Map.Entry<String, String> place : places.entrySet()) {
      if (!byName.containsKey(place.getValue())) {
        throw new ModelException(
            shown + ": tensor " + place.getKey(),
            "is placed in " + place.getValue() + ", which is missing");
      }
    }
    return places.values().stream().distinct().sorted().map(byName::get).toList();
  }

  private List<ReleaseFile> shards() {
    List<ReleaseFile> shards = new ArrayList<>();
    Map<Integer, Integer> counts = shardCounts();
    for (ReleaseFile file : byName.values()) {
      Matcher name = SHARD.matcher(file.name());
      if (name.matches()) {
        shards.add(file);
        int number = Integer.parseInt(name.group(1));
        int last = Integer.parseInt(name.group(2));
        if (number != shards.size() || last != counts.get(last)) {
          throw new ModelException(
              file.shown().toString(),
              "is one of " + last + " shards, of which not all are there; expected all of them");
        }
      }
    }
    return shards;
  }

  /** How many shards there are of each number of shards. */
  private Map<Integer, Integer> shardCounts() {
    Map<Integer, Integer> counts = new TreeMap<>();
    for (String file : byName.keySet()) {
      Matcher name = SHARD.matcher(file);
      if (name.matches()) {
        counts.merge(Integer.parseInt(name.group(2)), 1, Integer::sum);
      }
    }
    return counts;
  }

  private List<ReleaseFile> ranks(String extension) {
    Map<Integer, ReleaseFile> ranks = new TreeMap<>();
    for (ReleaseFile file : byName.values()) {
      Matcher name = RANK.matcher(file.name());
      if (name.matches() && name.group(2).equals(extension)) {
        ReleaseFile other = ranks.put(Integer.parseInt(name.group(1)), file);
        if (other != null) {
          throw new ModelException(
              file.shown().toString(), "has the same number as " + other.name());
        }
      }
    }
    int expected = 0;
    for (Map.Entry<Integer, ReleaseFile> rank : ranks.entrySet()) {
      if (rank.getKey() != expected) {
        throw new ModelException(
            source.toString(),
            "has the part %s, but not consolidated.%02d.%s; expected all parts from 00 on"
                .formatted(rank.getValue().name(), expected, extension));
      }
      expected++;
    }
    return List.copyOf(ranks.values());
  }
}
