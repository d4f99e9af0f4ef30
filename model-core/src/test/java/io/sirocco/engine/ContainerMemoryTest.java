package io.sirocco.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Limits of control groups, from files as the kernel writes them. */
class ContainerMemoryTest {
  @TempDir Path folder;

  @Test
  void theSmallestLimitOnTheWayUpCountsAndPageCacheIsFree() throws IOException {
    write("proc/self/cgroup", "0::/yarn/container_1\n");
    write("groups/memory.stat", "file 1\n");
    write("groups/yarn/memory.max", "9000\n");
    write("groups/yarn/memory.current", "3000\n");
    write("groups/yarn/container_1/memory.max", "5000\n");
    write("groups/yarn/container_1/memory.current", "4000\n");
    write("groups/yarn/container_1/memory.stat", "anon 3500\nfile 500\nfile_mapped 100\n");
    assertThat(memory().limit()).hasValue(5000);
    assertThat(memory().available()).hasValue(1500);
  }

  @Test
  void aContainerThatSeesItselfAsTheTopIsFoundThere() throws IOException {
    write("proc/self/cgroup", "0::/../../elsewhere\n");
    write("groups/memory.max", "7000\n");
    write("groups/memory.current", "1000\n");
    assertThat(memory().limit()).hasValue(7000);
    assertThat(memory().available()).hasValue(6000);
    write("groups/memory.max", "max\n");
    assertThat(memory().limit()).isEmpty();
    assertThat(memory().available()).isEmpty();
  }

  @Test
  void versionOneHasItsOwnNames() throws IOException {
    write("proc/self/cgroup", "5:cpu,cpuacct:/x\n3:memory:/docker/abc\n");
    write("groups/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("groups/memory/docker/abc/memory.limit_in_bytes", "4000\n");
    write("groups/memory/docker/abc/memory.usage_in_bytes", "3000\n");
    write("groups/memory/docker/abc/memory.stat", "cache 1\ntotal_cache 700\n");
    assertThat(memory().limit()).hasValue(4000);
    assertThat(memory().available()).hasValue(1700);
  }

  @Test
  void withoutControlGroupsNothingIsLimited() {
    assertThat(memory().limit()).isEmpty();
    assertThat(memory().available()).isEmpty();
  }

  private ContainerMemory memory() {
    return new ContainerMemory(folder.resolve("proc"), folder.resolve("groups"));
  }

  private void write(String file, String text) throws IOException {
    Path path = folder.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }
}
