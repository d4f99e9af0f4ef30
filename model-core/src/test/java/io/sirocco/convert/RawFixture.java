package io.sirocco.convert;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.checkpoint.Tensor;
import io.sirocco.checkpoint.TorchSave;
import io.sirocco.model.MistralConfig;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveOutputStream;

/** A Hugging Face folder as Mistral would have released it: the way back, for tests. */
public final class RawFixture {
  private static final Map<String, String> NAMES =
      Map.ofEntries(
          Map.entry("model.embed_tokens", "tok_embeddings"),
          Map.entry("model.norm", "norm"),
          Map.entry("lm_head", "output"),
          Map.entry("self_attn.q_proj", "attention.wq"),
          Map.entry("self_attn.k_proj", "attention.wk"),
          Map.entry("self_attn.v_proj", "attention.wv"),
          Map.entry("self_attn.o_proj", "attention.wo"),
          Map.entry("mlp.gate_proj", "feed_forward.w1"),
          Map.entry("mlp.down_proj", "feed_forward.w2"),
          Map.entry("mlp.up_proj", "feed_forward.w3"),
          Map.entry("input_layernorm", "attention_norm"),
          Map.entry("post_attention_layernorm", "ffn_norm"));

  private static final List<String> CUT_BY_COLUMNS = List.of("tok_embeddings", ".wo.", ".w2.");

  private final MistralConfig config;
  private final Map<String, Raw> tensors = new LinkedHashMap<>();

  /** Rows of bytes. */
  @SuppressWarnings("ArrayRecordComponent") // written, never compared
  private record Raw(ElementType type, List<Long> shape, byte[][] rows) {
    byte[] bytes() {
      ByteBuffer all = ByteBuffer.allocate(rows.length * rows[0].length);
      Arrays.stream(rows).forEach(all::put);
      return all.array();
    }

    Raw rows(int part, int parts) {
      int count = rows.length / parts;
      List<Long> cut = new ArrayList<>(shape);
      cut.set(0, (long) count);
      return new Raw(type, cut, Arrays.copyOfRange(rows, part * count, (part + 1) * count));
    }

    Raw columns(int part, int parts) {
      int bytes = rows[0].length / parts;
      byte[][] pieces = new byte[rows.length][];
      for (int row = 0; row < rows.length; row++) {
        pieces[row] = Arrays.copyOfRange(rows[row], part * bytes, (part + 1) * bytes);
      }
      return new Raw(type, List.of(shape.get(0), shape.get(1) / parts), pieces);
    }
  }

  private RawFixture(MistralConfig config) {
    this.config = config;
  }

  /** Reads a causal model. */
  public static RawFixture of(Path folder) {
    Checkpoint checkpoint = Checkpoint.open(folder);
    RawFixture fixture =
        new RawFixture(MistralConfig.parse(checkpoint.config(), folder.toString()));
    for (String name : checkpoint.names().stream().sorted().toList()) {
      Tensor tensor = checkpoint.find(name).orElseThrow();
      fixture.tensors.put(rawName(name), fixture.raw(name, tensor));
    }
    return fixture;
  }

  private Raw raw(String name, Tensor tensor) {
    byte[][] rows = new byte[tensor.rows()][tensor.columns() * tensor.type().bytes()];
    ByteBuffer bytes = tensor.slabs().get(0).duplicate();
    boolean turned = name.contains("q_proj") || name.contains("k_proj");
    int headDim = turned ? config.headDim() : 2;
    for (int row = 0; row < rows.length; row++) {
      int within = row % headDim;
      int half = headDim / 2;
      // Row (head, half p, i) of Hugging Face's is row (head, 2i + p) of the release.
      int raw = row - within + (within < half ? 2 * within : 2 * (within - half) + 1);
      bytes.get(rows[turned ? raw : row]);
    }
    return new Raw(tensor.type(), tensor.shape(), rows);
  }

  static String rawName(String name) {
    String raw = name.replace("model.layers.", "layers.");
    for (Map.Entry<String, String> entry : NAMES.entrySet()) {
      if (raw.equals(entry.getKey() + ".weight")
          || (raw.startsWith("layers.") && raw.endsWith("." + entry.getKey() + ".weight"))) {
        return raw.replace(entry.getKey(), entry.getValue());
      }
    }
    throw new IllegalArgumentException(name);
  }

  /** params.json, to be changed. */
  ObjectNode params() {
    ObjectNode params = new ObjectMapper().createObjectNode();
    params.put("dim", config.hiddenSize()).put("n_layers", config.numHiddenLayers());
    params.put("head_dim", config.headDim()).put("hidden_dim", config.intermediateSize());
    params.put("n_heads", config.numAttentionHeads()).put("n_kv_heads", config.numKeyValueHeads());
    params.put("norm_eps", 1e-5).put("vocab_size", config.vocabSize());
    params.put("rope_theta", config.rope().theta());
    config.slidingWindow().ifPresent(window -> params.put("sliding_window", window));
    return params.put("max_seq_len", config.maxPositionEmbeddings());
  }

  private Path writeParams(Path folder) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("params.json"), params().toPrettyString());
      return folder;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** All in consolidated.safetensors. */
  public Path safetensors(Path folder) {
    safetensors(tensors).write(writeParams(folder).resolve("consolidated.safetensors"));
    return folder;
  }

  byte[] safetensorsBytes() {
    return safetensors(tensors).bytes();
  }

  private static SafetensorsFile safetensors(Map<String, Raw> some) {
    SafetensorsFile file = new SafetensorsFile();
    some.forEach(
        (name, raw) ->
            file.withBytes(
                name,
                raw.type().name(),
                ByteBuffer.wrap(raw.bytes()),
                raw.shape().stream().mapToLong(Long::longValue).toArray()));
    return file;
  }

  /** Two shards, and their index. */
  Path shards(Path folder) throws IOException {
    writeParams(folder);
    ObjectNode index = new ObjectMapper().createObjectNode();
    ObjectNode map = index.putObject("weight_map");
    List<Map<String, Raw>> shards = List.of(new LinkedHashMap<>(), new LinkedHashMap<>());
    int next = 0;
    for (Map.Entry<String, Raw> tensor : tensors.entrySet()) {
      int shard = next++ % 2;
      shards.get(shard).put(tensor.getKey(), tensor.getValue());
      map.put(tensor.getKey(), shardName(shard));
    }
    for (int shard = 0; shard < 2; shard++) {
      safetensors(shards.get(shard)).write(folder.resolve(shardName(shard)));
    }
    Files.writeString(
        folder.resolve("consolidated.safetensors.index.json"), index.toPrettyString());
    return folder;
  }

  private static String shardName(int shard) {
    return "consolidated-%05d-of-00002.safetensors".formatted(shard + 1);
  }

  /** As many pickled parts: consolidated.00.pth and so on. */
  Path pickled(Path folder, int parts) throws IOException {
    writeParams(folder);
    for (int part = 0; part < parts; part++) {
      Files.write(
          folder.resolve("consolidated.%02d.pth".formatted(part)), pickledBytes(part, parts));
    }
    return folder;
  }

  byte[] pickledBytes(int part, int parts) throws IOException {
    TorchSave file = new TorchSave();
    for (Map.Entry<String, Raw> tensor : tensors.entrySet()) {
      Raw raw = cut(tensor.getKey(), tensor.getValue(), part, parts);
      String type =
          switch (raw.type()) {
            case F32 -> "Float";
            case BF16 -> "BFloat16";
            case F16 -> "Half";
          };
      file.withBytes(
          tensor.getKey(),
          type,
          raw.bytes(),
          raw.shape().stream().mapToInt(Math::toIntExact).toArray());
    }
    return file.bytes();
  }

  private static Raw cut(String name, Raw whole, int part, int parts) {
    if (parts == 1 || whole.shape().size() == 1) {
      return whole;
    }
    return CUT_BY_COLUMNS.stream().anyMatch(name::contains)
        ? whole.columns(part, parts)
        : whole.rows(part, parts);
  }

  /** The folder's files in an archive, with the folder's name before theirs. */
  static Path tar(Path folder, Path archive) throws IOException {
    try (OutputStream file = Files.newOutputStream(archive);
        TarArchiveOutputStream tar = new TarArchiveOutputStream(file);
        var files = Files.list(folder)) {
      tar.setLongFileMode(TarArchiveOutputStream.LONGFILE_GNU);
      for (Path member : files.sorted().toList()) {
        tar.putArchiveEntry(new TarArchiveEntry(member, "mistral-7B-v0.1/" + member.getFileName()));
        Files.copy(member, tar);
        tar.closeArchiveEntry();
      }
    }
    return archive;
  }
}
