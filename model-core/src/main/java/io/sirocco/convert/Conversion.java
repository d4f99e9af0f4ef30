package io.sirocco.convert;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.ModelException;
import io.sirocco.checkpoint.RawRelease;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.MistralWeights;
import io.sirocco.tokenizer.convert.TokenizerFiles;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Makes a Hugging Face folder of a raw release. The folder appears when it is complete and all of
 * it has been read back; until then it is made beside its place, where a run that was killed goes
 * on.
 */
public final class Conversion {
  /** Counts up when the same release is converted to other bytes than before. */
  private static final int FORM = 1;

  private static final String CONFIG = "config.json";
  private static final String GENERATION_CONFIG = "generation_config.json";
  private static final String INDEX = "model.safetensors.index.json";

  /** Of what a folder has besides weights; the rest is for the file system. */
  private static final long BESIDE_WEIGHTS = 64L << 20;

  private final ConversionOptions options;
  private final RawRelease release;
  private final ElementType type;
  private final List<Shard> shards;
  private final ObjectNode config;
  private final ConversionListener listener;
  private final ShardWriter writer = new ShardWriter();

  /** Of the thread that reads back. */
  private final ShardWriter reader = new ShardWriter();

  /** Held while the listener, which hears of two threads, is told something. */
  private final Object telling = new Object();

  private final List<String> notes = new ArrayList<>();
  private final long total;
  private long done;
  private long resumed;

  private Conversion(ConversionOptions options, RawRelease release, ConversionListener listener) {
    this.options = options;
    this.release = release;
    this.listener = listener;
    this.type = options.type().orElse(release.type());
    this.shards = Shard.of(release.tensors(), options.type(), options.maxShardBytes());
    this.config = release.config(type, options.maxPositions());
    this.total = shards.stream().mapToLong(Shard::bytes).sum();
    notes.addAll(release.notes());
  }

  /**
   * Converts.
   *
   * @throws ModelException if the release cannot be converted, the target exists, or the disk is
   *     too small; nothing of a pickled release is executed
   * @throws IOException if the disk fails or fills up: what is complete stays, and the same call
   *     goes on from there
   */
  public static ConversionReport run(ConversionOptions options, ConversionListener listener)
      throws IOException {
    Staging.requireAbsent(options.to());
    RawRelease release = RawRelease.open(options.from());
    Conversion conversion = new Conversion(options, release, listener);
    MistralConfig.parse(conversion.config, options.from().toString());
    try (Staging staging = Staging.open(options.to())) {
      return conversion.into(staging);
    }
  }

  private ConversionReport into(Staging staging) throws IOException {
    String identity = identity();
    Optional<Journal> earlier = Journal.find(staging.journal(), identity);
    if (earlier.isEmpty() || !Files.isDirectory(staging.model())) {
      staging.clear();
      earlier = Optional.empty();
    }
    requireRoom(staging);
    Journal journal =
        earlier.isPresent() ? earlier.get() : Journal.begin(staging.journal(), identity);
    // First, since a damaged tokenizer should not be found after an hour.
    deleteAllButWeights(staging.model());
    copyTokenizer(staging.model());
    try (ReadBack readBack = new ReadBack()) {
      for (Shard shard : shards) {
        make(shard, staging.model().resolve(shard.file()), journal, readBack);
      }
      readBack.await();
    }
    describe(staging.model());
    if (!RawRelease.open(options.from()).identity().equals(release.identity())) {
      throw new ModelException(
          options.from().toString(), "changed while it was converted; convert it again");
    }
    check(staging.model());
    staging.publish();
    return new ConversionReport(options.to(), shards.size(), total, resumed, notes);
  }

  /**
   * All that the weights depend on, but for this project's mistakes: those change {@link #FORM}.
   * What is beside them is made anew in every run.
   */
  private String identity() {
    StringBuilder shape = new StringBuilder(release.weightsIdentity());
    shards.forEach(shard -> shape.append(' ').append(shard.file()).append(shard.fileBytes()));
    return shape + " " + config + " " + FORM;
  }

  private void requireRoom(Staging staging) throws IOException {
    long needed = BESIDE_WEIGHTS + release.companionBytes();
    for (Shard shard : shards) {
      Path file = staging.model().resolve(shard.file());
      needed += Math.max(0, shard.fileBytes() - (Files.exists(file) ? Files.size(file) : 0));
    }
    long free = Files.getFileStore(staging.model()).getUsableSpace();
    if (needed > free) {
      throw new ModelException(
          options.to().toString(),
          String.format(
              Locale.ROOT,
              "needs %,d bytes of its disk, of which %,d are free; make room, or take another one",
              needed,
              free));
    }
  }

  private void make(Shard shard, Path file, Journal journal, ReadBack readBack) throws IOException {
    tellDone(shard);
    Optional<List<Long>> known = journal.checksums(shard.file());
    if (known.isPresent() && Files.isRegularFile(file)) {
      try {
        verify(writer, shard, file, known.get());
        done += shard.bytes();
        resumed += shard.bytes();
        return;
      } catch (ModelException e) {
        notes.add("written again: " + e.getMessage());
      } catch (IOException e) {
        notes.add("written again, for it cannot be read back: " + file + ": " + e.getMessage());
        Files.delete(file);
      }
    }
    List<Long> checksums =
        writer.write(
            shard,
            file,
            bytes -> {
              done += bytes;
              tellDone(shard);
            });
    readBack.begin(
        () -> {
          verify(reader, shard, file, checksums);
          journal.add(shard.file(), checksums);
          return null;
        });
  }

  private void verify(ShardWriter by, Shard shard, Path file, List<Long> checksums)
      throws IOException {
    by.verify(
        shard,
        file,
        checksums,
        read -> {
          synchronized (telling) {
            listener.readBack(read, shard.bytes(), shard.file());
          }
        });
  }

  private void tellDone(Shard shard) {
    synchronized (telling) {
      listener.at(done, total, shard.file());
    }
  }

  private void describe(Path folder) throws IOException {
    write(folder.resolve(CONFIG), config);
    ObjectNode generation = JsonNodeFactory.instance.objectNode();
    generation.put("_from_model_config", true);
    generation.set("bos_token_id", config.get("bos_token_id"));
    generation.set("eos_token_id", config.get("eos_token_id"));
    write(folder.resolve(GENERATION_CONFIG), generation);
    if (shards.size() > 1) {
      ObjectNode index = JsonNodeFactory.instance.objectNode();
      index.putObject("metadata").put("total_size", total);
      ObjectNode map = index.putObject("weight_map");
      for (Shard shard : shards) {
        shard.weights().forEach(weight -> map.put(weight.raw().name(), shard.file()));
      }
      write(folder.resolve(INDEX), index);
    }
  }

  private static void write(Path file, ObjectNode json) throws IOException {
    Files.writeString(
        file, new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
  }

  /** An earlier run may have left a tokenizer that the release no longer has. */
  private void deleteAllButWeights(Path folder) throws IOException {
    Set<String> weights = shards.stream().map(Shard::file).collect(Collectors.toSet());
    List<Path> found;
    try (Stream<Path> files = Files.list(folder)) {
      found = files.filter(file -> !weights.contains(file.getFileName().toString())).toList();
    }
    for (Path file : found) {
      Staging.delete(file);
    }
  }

  /**
   * Copies the tokenizer's files as they are, and makes of them what Hugging Face's form needs:
   * tokenizer.json, its configuration, a chat template.
   */
  private void copyTokenizer(Path folder) throws IOException {
    for (String name : release.companions()) {
      release.copy(name, folder.resolve(name));
    }
    for (String done : TokenizerFiles.write(folder, folder)) {
      notes.add(done.replace(folder + File.separator, ""));
    }
    if (!Files.exists(folder.resolve("tokenizer.json"))) {
      notes.add(
          "the release has no tokenizer, which rows of text need: neither tokenizer.json nor"
              + " tekken.json nor tokenizer.model");
    }
  }

  /** Opens it as every reader will: names, shapes and places of all weights. */
  private static void check(Path folder) {
    Checkpoint checkpoint = Checkpoint.open(folder);
    MistralConfig config =
        MistralConfig.parse(checkpoint.config(), folder.resolve(CONFIG).toString());
    MistralWeights.of(checkpoint, config).lmHead();
    if (!checkpoint.ignored().isEmpty()) {
      throw new IllegalStateException("tensors of no use were written: " + checkpoint.ignored());
    }
  }
}
