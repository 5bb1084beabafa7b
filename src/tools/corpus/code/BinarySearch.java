// Binary search in a sorted array: returns the index, or -1 when absent.
public class BinarySearch {
    static int search(int[] sorted, int target) {
        int low = 0;
        int high = sorted.length - 1;
        while (low <= high) {
            int middle = low + (high - low) / 2; // avoids overflow
            if (sorted[middle] < target) {
                low = middle + 1;
            } else if (sorted[middle] > target) {
                high = middle - 1;
            } else {
                return middle;
            }
        }
        return -1;
    }

    public static void main(String[] args) {
        int[] values = {2, 3, 5, 7, 11, 13, 17};
        System.out.println(search(values, 11)); // 4
        System.out.println(search(values, 4));  // -1
    }
}
