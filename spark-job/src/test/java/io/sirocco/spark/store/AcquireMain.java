package io.sirocco.spark.store;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkConf;

/**
 * Another process of the host: acquires models at the same time, each in a thread of its own, and
 * says for each {@code fetched BYTES URI} or {@code failed MESSAGE}. Pieces are of 1 MiB.
 *
 * <p>With {@code --fill} it fills the cache's disk as soon as something has been fetched, frees it
 * after the failure, and acquires once more.
 */
final class AcquireMain {
  private static final String FILL = "--fill";

  private AcquireMain() {}

  public static void main(String[] arguments) throws Exception {
    CacheSettings settings = CacheSettings.of(new SparkConf());
    List<String> uris = Stream.of(arguments).filter(uri -> !uri.equals(FILL)).toList();
    if (uris.size() < arguments.length) {
      Thread filler = new Thread(() -> fill(settings.folder()));
      filler.start();
      acquire(settings, uris.get(0));
      filler.join();
      Files.delete(settings.folder().resolve("filler"));
    }
    List<Thread> threads = new ArrayList<>();
    for (String uri : uris) {
      Thread thread = new Thread(() -> acquire(settings, uri));
      thread.start();
      threads.add(thread);
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void acquire(CacheSettings settings, String uri) {
    Configuration hadoop = new Configuration();
    try (LocalModel model =
        NodeCache.open(settings, new Download.Pieces(1 << 20, 1))
            .acquire(ModelManifest.of(uri, hadoop), hadoop)) {
      System.out.println("fetched " + model.fetchedBytes() + " " + uri);
    } catch (RuntimeException e) {
      System.out.println("failed " + e.getMessage());
    }
  }

  private static void fill(Path folder) {
    try {
      while (TestModels.journaledBytes(folder) < 4 << 20) {
        Thread.sleep(1);
      }
      try (OutputStream out = Files.newOutputStream(folder.resolve("filler"))) {
        while (true) {
          out.write(new byte[1 << 16]);
        }
      }
    } catch (IOException e) {
      System.out.println("full: " + e.getMessage());
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
