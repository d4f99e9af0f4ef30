package io.sirocco.adapter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import io.sirocco.checkpoint.ElementType;
import io.sirocco.checkpoint.SafetensorsFile;
import io.sirocco.checkpoint.TorchSave;
import io.sirocco.model.MistralConfig;
import io.sirocco.model.Projection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** A random LoRA adapter over a model, written as PEFT writes it. */
public final class TestAdapter {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final MistralConfig model;
  private final Random random;
  private final ObjectNode config = JSON.createObjectNode();
  private final Map<String, Stored> tensors = new LinkedHashMap<>();
  private String prefix = "model.";
  private ElementType type = ElementType.F32;

  @SuppressWarnings("ArrayRecordComponent") // written, never compared
  private record Stored(ElementType type, float[] values, int rows, int columns) {}

  /** Of rank 4 and alpha 8; without tensors and targets. */
  public TestAdapter(MistralConfig model, long seed) {
    this.model = model;
    this.random = new Random(seed);
    config.put("peft_type", "LORA").put("task_type", "CAUSAL_LM").put("bias", "none");
    config.put("r", 4).put("lora_alpha", 8);
  }

  /** For the model in that folder. */
  public static TestAdapter of(Path folder, long seed) {
    Checkpoint checkpoint = Checkpoint.open(folder);
    return new TestAdapter(MistralConfig.parse(checkpoint.config(), folder.toString()), seed);
  }

  /** Replaces a field of adapter_config.json. */
  public TestAdapter put(String key, String json) {
    try {
      config.set(key, JSON.readTree(json));
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** As trained on a bare MistralModel. */
  public TestAdapter bare() {
    prefix = "";
    return this;
  }

  /** Tensors added from now on are of that type. */
  public TestAdapter as(ElementType other) {
    type = other;
    return this;
  }

  /** Adds these linear layers of all layers, and targets them. */
  public TestAdapter on(Set<Projection> projections) {
    return on(projections, 0.3f);
  }

  /** As above, B being of that size. */
  public TestAdapter on(Set<Projection> projections, float sizeOfB) {
    var targets = config.putArray("target_modules");
    for (Projection projection : projections) {
      targets.add(projection.module().replaceFirst(".*\\.", ""));
      for (int layer = 0; layer < model.numHiddenLayers(); layer++) {
        branch(layer, projection, 4, sizeOfB);
      }
    }
    return this;
  }

  /** Adds the tensors of one linear layer; targets stay as they are. */
  public TestAdapter branch(int layer, Projection projection, int rank, float sizeOfB) {
    int inputs = projection.inputs(model);
    String module =
        "base_model.model." + prefix + "layers." + layer + "." + projection.module() + ".lora_";
    tensor(module + "A.weight", rank, inputs, 1 / (float) Math.sqrt(inputs));
    return tensor(module + "B.weight", projection.outputs(model), rank, sizeOfB);
  }

  /** A classifier's head that was trained with it. */
  public TestAdapter score() {
    put("task_type", "\"SEQ_CLS\"").put("modules_to_save", "[\"classifier\", \"score\"]");
    int labels = model.labels().names().size();
    return tensor("base_model.model.score.weight", labels, model.hiddenSize(), 0.1f);
  }

  public TestAdapter tensor(String name, int rows, int columns, float size) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian() * size;
    }
    tensors.put(name, new Stored(type, values, rows, columns));
    return this;
  }

  public TestAdapter without(String name) {
    if (tensors.remove(name) == null) {
      throw new IllegalArgumentException(name + " is none of " + tensors.keySet());
    }
    return this;
  }

  /** Under another name. */
  public TestAdapter renamed(String from, String to) {
    Map<String, Stored> before = new LinkedHashMap<>(tensors);
    tensors.clear();
    before.forEach((name, tensor) -> tensors.put(name.replace(from, to), tensor));
    return this;
  }

  /** As safetensors. */
  public Path write(Path folder) {
    writeConfig(folder);
    SafetensorsFile file = new SafetensorsFile();
    tensors.forEach(
        (name, tensor) ->
            file.with(name, tensor.type(), tensor.values(), tensor.rows(), tensor.columns()));
    file.write(folder.resolve("adapter_model.safetensors"));
    return folder;
  }

  /** As older versions of PEFT did, as a pickle. */
  public Path writePickled(Path folder) throws IOException {
    writeConfig(folder);
    Map<ElementType, String> storages =
        Map.of(ElementType.F32, "Float", ElementType.F16, "Half", ElementType.BF16, "BFloat16");
    TorchSave file = new TorchSave();
    tensors.forEach(
        (name, tensor) -> {
          ByteBuffer encoded = SafetensorsFile.encode(tensor.type(), tensor.values());
          byte[] bytes = new byte[encoded.remaining()];
          encoded.get(bytes);
          file.withBytes(name, storages.get(tensor.type()), bytes, tensor.rows(), tensor.columns());
        });
    file.write(folder.resolve("adapter_model.bin"));
    return folder;
  }

  private void writeConfig(Path folder) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("adapter_config.json"), config.toPrettyString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The names of all tensors. */
  public List<String> names() {
    return List.copyOf(tensors.keySet());
  }

  JsonNode config() {
    return config;
  }
}
