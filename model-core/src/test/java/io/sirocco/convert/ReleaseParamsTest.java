package io.sirocco.convert;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.sirocco.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What params.json says is heeded; what is no such release is refused by name. */
class ReleaseParamsTest extends ConversionTrial {
  @Test
  void partsThatCutThroughHeadsAreRefused() throws IOException {
    refused(FIXTURE.pickled(from(), 4), "params.json: 4 parts cannot hold 4 heads on 2 key-value");
  }

  @Test
  void partsOfAnotherNumberAreRefused() throws IOException {
    FIXTURE.pickled(from(), 2);
    Files.delete(from().resolve("consolidated.01.pth"));
    refused(from(), "consolidated.00.pth: tensor tok_embeddings.weight: has shape");
    FIXTURE.pickled(from(), 2);
    Files.delete(from().resolve("consolidated.00.pth"));
    refused(from(), "has the part consolidated.01.pth, but not consolidated.00.pth");
  }

  @Test
  void whatIsNoArchiveIsRefused() throws IOException {
    Path archive = temporary.resolve("release.tar");
    Files.write(archive, new byte[] {0x1f, (byte) 0x8b, 8});
    refused(archive, "release.tar, byte 0", "expected an uncompressed tar archive");
    byte[] tar =
        Files.readAllBytes(RawFixture.tar(FIXTURE.pickled(from(), 1), temporary.resolve("whole")));
    Files.write(archive, Arrays.copyOf(tar, tar.length / 2));
    refused(archive, "goes beyond the archive's end");
  }

  @Test
  void windowsComeAsNumbersTextsAndLists() throws IOException {
    FIXTURE.safetensors(from());
    for (Object window : new Object[] {8, "8", List.of(8, 8)}) {
      params("sliding_window", window);
      Path folder = temporary.resolve("window-" + window.getClass().getSimpleName());
      Conversion.run(ConversionOptions.of(from(), folder), ConversionListener.NONE);
      assertThat(Checkpoint.open(folder).config().path("sliding_window").asInt()).isEqualTo(8);
    }
    params("sliding_window", List.of(8, 16));
    refused(from(), "params.json: sliding_window is [8,16]", "the same window for all layers");
    params("sliding_window", "eight");
    refused(from(), "params.json: sliding_window is", "an integer of 1 or more");
  }

  @Test
  void otherModelsAreRefusedByName() throws IOException {
    FIXTURE.safetensors(from());
    for (String key : List.of("moe", "vision_encoder", "lora", "quantization")) {
      params(key, Map.of("num_experts", 8));
      refused(from(), "params.json: " + key + " makes this another model");
    }
    params("moe", null);
    convert(from());
  }

  @Test
  void whatParamsLeaveOpenIsSaid() throws IOException {
    FIXTURE.safetensors(from());
    ObjectNode params = FIXTURE.params();
    params.remove(List.of("rope_theta", "max_seq_len"));
    params.put("novelty", 1);
    Files.writeString(from().resolve("params.json"), params.toString());
    ConversionReport report = convert(from());
    assertThat(report.notes())
        .anyMatch(note -> note.contains("10000 is taken"))
        .anyMatch(note -> note.contains("[novelty]"));
    ObjectNode config = (ObjectNode) Checkpoint.open(to()).config();
    assertThat(config.at("/rope_parameters/rope_theta").asDouble()).isEqualTo(10_000);
    assertThat(config.path("max_position_embeddings").asInt()).isEqualTo(32_768);
  }

  @Test
  void tensorsThatDoNotFitAreNamed() throws IOException {
    FIXTURE.safetensors(from());
    params("n_layers", FIXTURE.params().path("n_layers").asInt() + 1);
    refused(from(), "tensor layers.", ".attention.wq.weight is missing");
    params("n_layers", 1);
    refused(from(), "tensors that no Mistral of 1 layers has: layers.1.");
    params("hidden_dim", 10);
    refused(from(), "consolidated.safetensors: tensor layers.0.feed_forward.w1.weight: has shape");
    Files.delete(from().resolve("consolidated.safetensors"));
    refused(from(), "holds no weights");
  }

  @Test
  void foldersThatAreNoReleaseAreRefused() throws IOException {
    refused(MODEL, "params.json: is missing", "raw release");
    refused(temporary.resolve("nowhere"), "does not exist");
  }
}
