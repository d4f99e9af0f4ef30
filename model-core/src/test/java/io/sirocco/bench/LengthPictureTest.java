package io.sirocco.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.sirocco.kernel.JavaKernels;
import io.sirocco.kernel.Precision;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import javax.xml.parsers.DocumentBuilderFactory;
import org.apache.arrow.memory.BufferAllocator;
import org.apache.arrow.memory.RootAllocator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.NodeList;

class LengthPictureTest {
  @TempDir private Path folder;

  @Test
  void thePictureIsWellFormedAndHasAPointForEachPass() throws Exception {
    List<LengthBench.Result> results =
        List.of(
            result(512, Optional.of(new LengthBench.Pass(0.6, 20 << 20))),
            result(1024, Optional.of(new LengthBench.Pass(2.4, 80 << 20))),
            result(2048, Optional.empty()));

    Document svg = parsed(LengthPicture.of(results));

    assertThat(svg.getDocumentElement().getTagName()).isEqualTo("svg");
    // Two panels, each of three points in blocks and two of plain attention.
    assertThat(svg.getElementsByTagName("circle").getLength()).isEqualTo(10);
    assertThat(svg.getElementsByTagName("polyline").getLength()).isEqualTo(4);
    assertThat(texts(svg)).contains("tokens of the row", "seconds", "MiB", "2,048", "a <b> & c");
  }

  @Test
  void plainAttentionHoldsTheWholeMatrixAndBlocksDoNot() throws IOException {
    List<LengthBench.Result> results = measured(List.of(256, 1024), Long.MAX_VALUE, 1e9);

    long matrix = 1024L * 1024 * Float.BYTES;
    assertThat(results.get(1).blocks().bytes())
        .as("grows with the length, not with its square")
        .isLessThan(5 * results.get(0).blocks().bytes());
    assertThat(results.get(1).plain().orElseThrow().bytes() - results.get(1).blocks().bytes())
        .isGreaterThan(matrix);
    assertThat(results).allSatisfy(result -> assertThat(result.blocks().seconds()).isPositive());
  }

  @Test
  void plainAttentionStopsWhereItsMemoryOrItsTimeEnds() throws IOException {
    List<LengthBench.Result> ofMemory = measured(List.of(128, 2048, 2304), 8 << 20, 1e9);
    assertThat(ofMemory.get(0).plain()).isPresent();
    assertThat(ofMemory.get(1).plain()).isEmpty();
    assertThat(ofMemory.get(1).without()).contains("GiB");
    assertThat(ofMemory.get(2).without()).contains("GiB");

    List<LengthBench.Result> ofTime = measured(List.of(128, 256), Long.MAX_VALUE, 1e-12);
    assertThat(ofTime.get(0).plain()).isPresent();
    assertThat(ofTime.get(1).without()).contains("would take");
  }

  private List<LengthBench.Result> measured(List<Integer> lengths, long memory, double seconds)
      throws IOException {
    SyntheticCheckpoint.write(folder, Geometry.TINY, 1);
    List<LengthBench.Result> results = new ArrayList<>();
    try (BufferAllocator decoders = new RootAllocator();
        BufferAllocator ofKernels = new RootAllocator();
        BufferAllocator plain = new RootAllocator(memory);
        ProfiledKernels kernels = new ProfiledKernels(new JavaKernels(Precision.FLOAT32, 2));
        BenchModel model = BenchModel.open(folder, "tiny", kernels, decoders)) {
      LengthBench bench =
          new LengthBench(model, kernels, new LengthBench.Memory(decoders, ofKernels, plain));
      for (int length : lengths) {
        results.add(
            bench.measure(length, allocator -> new JavaKernels(Precision.FLOAT32, 2), seconds));
      }
    }
    return results;
  }

  private static LengthBench.Result result(int length, Optional<LengthBench.Pass> plain) {
    LengthBench.Pass blocks = new LengthBench.Pass(length / 1000.0, (long) length << 10);
    return new LengthBench.Result(
        "forward" + length, "a <b> & c", 4, "bfloat16", length, blocks, plain, "");
  }

  private static Document parsed(String svg) throws Exception {
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
  }

  private static String texts(Document svg) {
    StringBuilder texts = new StringBuilder();
    NodeList nodes = svg.getElementsByTagName("text");
    for (int i = 0; i < nodes.getLength(); i++) {
      texts.append(nodes.item(i).getTextContent()).append('\n');
    }
    return texts.toString();
  }
}
