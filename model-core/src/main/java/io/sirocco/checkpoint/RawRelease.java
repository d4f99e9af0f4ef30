package io.sirocco.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * Mistral's own form of a model, opened: params.json and consolidated weights, whole, in shards or
 * in parts, as safetensors or pickled; in a folder, or in the tar archive it is published as. Only
 * headers are read, and nothing of a pickle is executed.
 *
 * <p>Its tensors are those that Hugging Face's MistralForCausalLM has, by that name and shape:
 * every one of them is there, and there are no others.
 */
public final class RawRelease {
  private static final long MAX_PARAMS = 1L << 20;
  private static final int NAMES_SHOWN = 5;

  /** What a tokenizer, or a publisher, has beside the weights. */
  private static final Pattern COMPANION =
      Pattern.compile(
          "tokenizer[A-Za-z0-9._-]*|tekken[A-Za-z0-9._-]*\\.json|special_tokens_map\\.json"
              + "|chat_template\\.(jinja|json)");

  private final ReleaseFiles files;
  private final RawParams params;
  private final List<List<WeightFile>> parts;
  private final List<RawTensor> tensors;
  private final String weightsIdentity;
  private final String identity;

  /** {@code weights}: the names of the files that hold them. */
  private RawRelease(
      ReleaseFiles files,
      RawParams params,
      List<List<WeightFile>> parts,
      List<RawTensor> tensors,
      Set<String> weights) {
    this.files = files;
    this.params = params;
    this.parts = parts;
    this.tensors = tensors;
    this.weightsIdentity = identityOf(weights);
    this.identity = weightsIdentity + identityOf(Set.copyOf(companions()));
  }

  /**
   * Reads params.json and the headers of the weights.
   *
   * @param source a folder or a tar archive
   * @throws ModelException if it is no raw release, is another model, or its tensors are not those
   *     that params.json implies
   */
  public static RawRelease open(Path source) {
    if (!Files.exists(source)) {
      throw new ModelException(
          source.toString(), "does not exist; expected a raw release of Mistral's");
    }
    ReleaseFiles files = ReleaseFiles.list(source);
    ReleaseFile file = files.require(WeightFiles.RAW_PARAMS);
    String where = file.shown().toString();
    RawParams params = RawParams.parse(Json.parseObject(where, file.bytes(MAX_PARAMS)), where);
    List<List<WeightFile>> parts = new ArrayList<>();
    List<Map<String, RawTensor.Part>> places = new ArrayList<>();
    Set<String> names = new HashSet<>(List.of(WeightFiles.RAW_PARAMS, WeightFiles.RAW_INDEX));
    for (List<ReleaseFile> part : files.parts()) {
      Map<String, RawTensor.Part> place = new TreeMap<>();
      List<WeightFile> read = new ArrayList<>();
      for (ReleaseFile weights : part) {
        WeightFile header = weights.weights();
        read.add(header);
        names.add(weights.name());
        place(weights, header, place);
      }
      parts.add(read);
      places.add(place);
    }
    return new RawRelease(files, params, parts, new RawTensors(params, places, where).all(), names);
  }

  /**
   * Opens a folder whose weights can be used without a conversion.
   *
   * @throws ModelException as {@link #open}, and if they are pickled, or split into parts
   */
  static RawRelease openAsItIs(Path folder) {
    ReleaseFiles files = ReleaseFiles.list(folder);
    String pickled = files.pickled();
    List<List<ReleaseFile>> parts = files.parts();
    if (!pickled.isEmpty() || parts.size() > 1) {
      throw new ModelException(
          folder.resolve(pickled.isEmpty() ? parts.get(0).get(0).name() : pickled).toString(),
          (pickled.isEmpty() ? "is a part of split tensors" : "is pickled")
              + ", which is not opened as it is, nothing in it was executed; convert the release"
              + " first: convert --from "
              + folder
              + " --to HF_FOLDER");
    }
    return open(folder);
  }

  /** Whether a folder has the files of a raw release, of whatever content. */
  public static boolean isThere(Path folder) {
    return Files.isDirectory(folder) && ReleaseFiles.list(folder).isRelease();
  }

  /** Whether {@link Checkpoint} opens such a folder without a conversion. */
  public static boolean isOpenedAsItIs(Path folder) {
    ReleaseFiles files = ReleaseFiles.list(folder);
    return files.pickled().isEmpty() && files.parts().size() == 1;
  }

  private static void place(
      ReleaseFile file, WeightFile header, Map<String, RawTensor.Part> places) {
    for (WeightFile.Entry entry : header.entries()) {
      RawTensor.Part part = new RawTensor.Part(file.shown(), file.container(), entry);
      RawTensor.Part other = places.put(entry.name(), part);
      if (other != null) {
        throw new ModelException(
            file.shown() + ": tensor " + entry.name(), "is in " + other.shown() + " as well");
      }
    }
  }

  /** As Hugging Face orders them: embedding, layers, norm, head. */
  public List<RawTensor> tensors() {
    return tensors;
  }

  /**
   * The config.json that transformers, and {@link Checkpoint}, read the model with.
   *
   * @param type of the weights; the release's own where they differ is {@link #type}
   * @param maxPositions in place of what params.json says, or leaves open
   */
  public ObjectNode config(ElementType type, OptionalInt maxPositions) {
    String dtype =
        switch (type) {
          case F32 -> "float32";
          case BF16 -> "bfloat16";
          case F16 -> "float16";
        };
    return maxPositions.isPresent()
        ? params.withMaxPositions(maxPositions.getAsInt()).config(dtype)
        : params.config(dtype);
  }

  /** The type that holds every weight exactly: the weights' own, unless they differ. */
  public ElementType type() {
    List<ElementType> types = tensors.stream().map(RawTensor::type).distinct().toList();
    return types.size() == 1 ? types.get(0) : ElementType.F32;
  }

  /** What was decided without the release's word, for people. */
  public List<String> notes() {
    return params.notes();
  }

  /** Parts that every tensor is split into; 1 where tensors are whole. */
  public int partCount() {
    return parts.size();
  }

  /** How many files hold weights. */
  public int weightFiles() {
    return parts.stream().mapToInt(List::size).sum();
  }

  /** Bytes of all tensors, in the release's type. */
  public long bytes() {
    return tensors.stream().mapToLong(RawTensor::bytes).sum();
  }

  /** The names of the files that belong to the tokenizer, such as tokenizer.model. */
  public List<String> companions() {
    return files.byName().keySet().stream().filter(COMPANION.asMatchPredicate()).toList();
  }

  /** Bytes of all {@link #companions}. */
  public long companionBytes() {
    return companions().stream().mapToLong(name -> files.require(name).size()).sum();
  }

  /** Copies one of {@link #companions} as it is. */
  public void copy(String companion, Path to) throws IOException {
    ReleaseFile file = files.require(companion);
    try (FileChannel channel = FileChannel.open(file.container(), StandardOpenOption.READ);
        InputStream in =
            Channels.newInputStream(new ByteWindow(channel, file.offset(), file.size()))) {
      Files.copy(in, to);
    }
  }

  /**
   * Tells the state that the release had when it was opened from others: SHA-256, in hexadecimal,
   * over the names, sizes and times of its files, and the headers of the weights.
   */
  public String identity() {
    return identity;
  }

  /**
   * As {@link #identity}, of params.json and the weights alone: a tokenizer may come, go or change.
   * In an archive all files have the time of the archive.
   */
  public String weightsIdentity() {
    return weightsIdentity;
  }

  private String identityOf(Set<String> names) {
    MessageDigest digest = Fingerprint.sha256();
    Set<Path> containers = new HashSet<>();
    for (ReleaseFile file : files.byName().values()) {
      if (names.contains(file.name())) {
        add(digest, file.name() + "\n" + file.size() + "\n");
        containers.add(file.container());
      }
    }
    try {
      for (Path container : containers.stream().sorted().toList()) {
        long modified = Files.getLastModifiedTime(container).toMillis();
        add(digest, Files.size(container) + "\n" + modified + "\n");
      }
    } catch (IOException e) {
      throw new ModelException(files.source().toString(), "cannot be read: " + e, e);
    }
    add(digest, params.config("").toString());
    parts.forEach(part -> part.forEach(file -> digest.update(ByteBuffer.wrap(file.header()))));
    return HexFormat.of().formatHex(digest.digest());
  }

  /** The files of its weights, where tensors are whole. */
  List<WeightFile> weights() {
    return parts.get(0);
  }

  private static void add(MessageDigest digest, String text) {
    digest.update(text.getBytes(StandardCharsets.UTF_8));
  }

  /** A few names, and how many more there are. */
  public static String some(List<String> names) {
    return String.join(", ", names.subList(0, Math.min(NAMES_SHOWN, names.size())))
        + (names.size() > NAMES_SHOWN ? " and " + (names.size() - NAMES_SHOWN) + " more" : "");
  }
}
