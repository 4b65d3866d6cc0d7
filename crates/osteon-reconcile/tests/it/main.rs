mod published;
mod small;
